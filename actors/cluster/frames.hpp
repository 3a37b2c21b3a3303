#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe::cluster {

/// Follows the frames of a stream of BASP, CAF's protocol, and finds those that
/// are longer than anything we say. CAF would allocate what a header announces,
/// up to 4 GB (caf-0.17.md, 5.3).
class frames {
public:
  static constexpr std::size_t longest = 64U << 20U;

  /// Takes the next bytes of the stream. False: one frame is too long; nothing
  /// of `bytes` may be passed on.
  [[nodiscard]] bool take(std::string_view bytes) {
    while (!bytes.empty()) {
      if (payload_left_ > 0) {
        const auto size = std::min(payload_left_, bytes.size());
        payload_left_ -= size;
        bytes.remove_prefix(size);
        continue;
      }
      header_[header_size_++] = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      if (header_size_ == header_.size() && !begin_payload())
        return false;
    }
    return true;
  }

private:
  /// Its length follows operation, padding and flags, the highest byte first.
  bool begin_payload() {
    constexpr std::size_t length_at = 4;
    header_size_ = 0;
    payload_left_ = 0;
    for (auto i = length_at; i < length_at + sizeof(std::uint32_t); ++i)
      payload_left_ = payload_left_ << 8U | header_[i];
    return payload_left_ <= longest;
  }

  std::array<unsigned char, 32> header_{};
  std::size_t header_size_ = 0;
  std::size_t payload_left_ = 0;
};

} // namespace troupe::cluster
