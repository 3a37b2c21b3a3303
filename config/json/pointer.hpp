#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::json {

/// A JSON pointer (RFC 6901): the address of a place in a document.
class pointer {
public:
  /// `text` is a pointer already, escaped: `/linux/devices`; "" is the whole
  /// document.
  explicit pointer(std::string_view text = {}) : text_(text) {
  }

  /// The member `name` of this place; `~` and `/` in it are escaped.
  [[nodiscard]] pointer operator/(std::string_view name) const;

  /// The element `index` of this place.
  [[nodiscard]] pointer operator/(std::size_t index) const;

  [[nodiscard]] const std::string& text() const noexcept {
    return text_;
  }

private:
  std::string text_;
};

} // namespace troupe::json
