#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

/// SOCK_SEQPACKET unix sockets with descriptor passing: unix(7). One packet is
/// one message; nothing here blocks unless the socket itself is blocking.
namespace troupe::sys {

/// Descriptors in one packet, at most.
inline constexpr std::size_t max_packet_fds = 64;

struct packet {
  std::vector<std::uint8_t> bytes; ///< Empty with `closed`: the peer is gone.
  std::vector<unique_fd> fds;
  bool closed = false;
  /// Descriptors came but could not be taken (EMFILE); `fds` is empty.
  bool fds_lost = false;
};

/// A connected, CLOEXEC pair.
[[nodiscard]] result<std::pair<unique_fd, unique_fd>> seqpacket_pair();

/// Binds and listens at `path` (mode 0600), replacing a stale socket there.
/// Non-blocking.
[[nodiscard]] result<unique_fd> seqpacket_listen(const std::string& path);

/// Whether somebody listens at `path`, which does not notice the question.
[[nodiscard]] result<bool> seqpacket_is_bound(const std::string& path);

/// Connects to `path`. Non-blocking afterwards.
[[nodiscard]] result<unique_fd> seqpacket_connect(const std::string& path);

/// Sends one packet; `exhausted` when the socket is full (EAGAIN).
/// MSG_NOSIGNAL.
[[nodiscard]] outcome send_packet(int socket,
                                  std::span<const std::uint8_t> bytes,
                                  std::span<const int> fds = {});

/// Receives one packet of up to `limit` bytes. `exhausted` (EAGAIN) when there
/// is none; a packet that is longer is a failure, its descriptors are closed.
[[nodiscard]] result<packet> receive_packet(int socket,
                                            std::size_t limit = 256U << 10U);

struct peer_credentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// SO_PEERCRED.
[[nodiscard]] result<peer_credentials> credentials_of(int socket);

} // namespace troupe::sys
