#pragma once

#include <array>
#include <cstdint>
#include <string>

/// What attached clients speak.
///
/// `frames`, as the engine API has it: an 8-byte header {stream, 0, 0, 0,
/// length as 32-bit big endian}, then the bytes. The client half-closes the
/// socket to close the process's stdin. The last frame is `status`, JSON:
/// {"exit_code":0,"signal":0} or, if the process never ran,
/// {"exit_code":127,"error":"exec: /bin/x: ENOENT (…)"}. To a client of the
/// policy `drop`, a frame `dropped` tells where how many bytes are missing:
/// {"bytes":4096}.
///
/// `websocket`: binary messages, each begins with its stream as one byte. The
/// message {255, 0} closes the process's stdin.
///
/// `packets`, as conmon has it: SOCK_SEQPACKET packets of at most 8192 bytes
/// behind one byte, 2 (stdout) or 3 (stderr); what comes in is stdin.
namespace troupe::shim {

enum class frame_stream : std::uint8_t {
  in = 0,
  out = 1,
  err = 2,
  status = 3,
  dropped = 4,
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

/// The body of `status` for a process that has run.
[[nodiscard]] inline std::string status_text(std::int32_t exit_code,
                                             std::int32_t signal) {
  return "{\"exit_code\":" + std::to_string(exit_code)
         + ",\"signal\":" + std::to_string(signal) + "}";
}

} // namespace troupe::shim
