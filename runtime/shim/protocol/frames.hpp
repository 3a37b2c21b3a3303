#pragma once

#include <array>
#include <cstdint>
#include <cstring>

/// Framing of an attach stream without a terminal, as the engine API has it: an
/// 8-byte header {stream, 0, 0, 0, length as 32-bit big endian}, then the
/// bytes. The client half-closes the socket to close the process's stdin. The
/// last frame is `status`, JSON: {"exit_code":0,"signal":0} or, if the process
/// never ran, {"exit_code":127,"error":"exec: /bin/x: ENOENT (…)"}.
namespace troupe::shim {

enum class frame_stream : std::uint8_t {
  in = 0,
  out = 1,
  err = 2,
  status = 3,
};

inline constexpr std::size_t frame_header_size = 8;
/// Longest frame body; a client that announces more is disconnected.
inline constexpr std::uint32_t max_frame = 1U << 20U;

using frame_header = std::array<std::uint8_t, frame_header_size>;

[[nodiscard]] constexpr frame_header
make_header(frame_stream stream, std::uint32_t length) noexcept {
  return {static_cast<std::uint8_t>(stream),
          0,
          0,
          0,
          static_cast<std::uint8_t>(length >> 24U),
          static_cast<std::uint8_t>(length >> 16U),
          static_cast<std::uint8_t>(length >> 8U),
          static_cast<std::uint8_t>(length)};
}

[[nodiscard]] constexpr std::uint32_t
length_of(const frame_header& header) noexcept {
  return std::uint32_t{header[4]} << 24U | std::uint32_t{header[5]} << 16U
         | std::uint32_t{header[6]} << 8U | std::uint32_t{header[7]};
}

} // namespace troupe::shim
