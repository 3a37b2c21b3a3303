#include "runtime/launch/handshake.hpp"

#include "runtime/linux/readable.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

/// Waits until there is a packet or EOF: the caller's line may be non-blocking.
outcome wait_for_word(int line,
                      std::chrono::milliseconds patience = sys::for_ever) {
  TROUPE_TRY(const auto ready, sys::wait_readable(line, patience));
  if (!ready)
    return fail_os(ETIMEDOUT, "wait", "for the process to get ready");
  return {};
}

/// A listening line becomes, under its own number, the first connection that
/// comes: from then on nobody else can start this process.
outcome accept_line(int line) {
  auto listens = 0;
  socklen_t size = sizeof(listens);
  if (::getsockopt(line, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0)
    return fail_os(errno, "getsockopt", "SO_ACCEPTCONN");
  if (listens == 0)
    return {};
  TROUPE_CHECK(wait_for_word(line));
  const sys::unique_fd caller{::accept4(line, nullptr, nullptr, SOCK_CLOEXEC)};
  if (!caller)
    return fail_os(errno, "accept", "the caller of start");
  if (::dup3(caller.get(), line, O_CLOEXEC) < 0)
    return fail_os(errno, "dup3", "the caller of start");
  return {};
}

/// The sender is in the container already: whoever may trace it there speaks
/// with its voice.
result<failure> as_failure(const std::vector<std::uint8_t>& bytes,
                           progress& at) {
  auto sent = report{};
  std::memcpy(&sent, bytes.data(), sizeof(sent));
  if (sent.subject_length > sizeof(sent.subject))
    return fail_os(EPROTO, "receive", "launch handshake");
  at = {sent.phase, sent.index};
  return failure{classify(sent.os_errno), sent.os_errno,
                 std::string{sent.subject_text()}};
}

} // namespace

bool is_accompanied(const plan::launch_plan& plan) noexcept {
  const auto& hooks = plan.hooks;
  return (plan.namespaces.clone_flags & CLONE_NEWUSER) != 0
         || !plan.process.oom_score_adj.empty()
         || !plan.intel_rdt.directory.empty() || !plan.net_devices.empty()
         || !hooks.prestart.empty() || !hooks.create_runtime.empty()
         || !hooks.create_container.empty() || !hooks.start_container.empty()
         || !plan.process.seccomp.listener_path.empty();
}

outcome say(int line, word what, progress& at, pid_t pid) {
  const auto out = message{what, pid};
  auto said = sys::send_packet(
    line, std::span{reinterpret_cast<const std::uint8_t*>(&out), sizeof(out)});
  if (said || said.error().os_errno != EPIPE)
    return said;
  TROUPE_TRY([[maybe_unused]] const auto last, hear(line, what, at));
  return said;
}

result<message> hear(int line, word expected, progress& at) {
  return hear(line, expected, at, sys::for_ever);
}

result<message> hear(int line, word expected, progress& at,
                     std::chrono::milliseconds patience) {
  TROUPE_CHECK(wait_for_word(line, patience));
  TROUPE_TRY(const auto packet, sys::receive_packet(line));
  if (packet.closed)
    return fail(fault::unavailable, "the other side of the launch is gone");
  if (packet.bytes.size() == sizeof(report)) {
    TROUPE_TRY(auto why, as_failure(packet.bytes, at));
    return fail(std::move(why));
  }
  auto in = message{};
  if (packet.bytes.size() != sizeof(in))
    return fail_os(EPROTO, "receive", "launch handshake");
  std::memcpy(&in, packet.bytes.data(), sizeof(in));
  if (in.said != expected)
    return fail_os(EPROTO, "receive", "launch handshake");
  return in;
}

result<bool> await_start(int line) {
  TROUPE_CHECK(accept_line(line));
  TROUPE_CHECK(wait_for_word(line));
  TROUPE_TRY(const auto packet, sys::receive_packet(line));
  return !packet.closed;
}

} // namespace troupe::launch
