#pragma once

#include "config/base/result.hpp"

#include <string>
#include <string_view>

namespace troupe::client {

/// The keys that end an attachment and leave the container running, as docker's
/// --detach-keys: "ctrl-p,ctrl-q". What has begun the sequence is held back
/// until it is told from it; so that Ctrl-P stays usable, the first key typed
/// twice is that key once, and what is held is sent after a while.
class detach_keys {
public:
  static constexpr auto usual = "ctrl-p,ctrl-q";

  /// Keys are characters, or ctrl-X with X a letter or one of @[\]^_; "" is
  /// none at all.
  [[nodiscard]] static result<detach_keys> parse(std::string_view text);

  /// What of `typed` goes to the process; `detached` from the last key on.
  [[nodiscard]] std::string take(std::string_view typed);

  /// What was held: the rest of the sequence did not come in time.
  [[nodiscard]] std::string release();

  [[nodiscard]] bool holds() const noexcept {
    return held_ != 0;
  }
  [[nodiscard]] bool detached() const noexcept {
    return detached_;
  }

private:
  std::string keys_;
  std::size_t held_ = 0; ///< So many keys of the sequence have come.
  bool detached_ = false;
};

} // namespace troupe::client
