#include "runtime/oci/launcher.hpp"

#include "runtime/launch/progress.hpp"
#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/readable.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <unistd.h>

namespace troupe::oci_runtime {

namespace {

launch::report as_report(const failure& why) {
  return launch::make_report(launch::report_kind::failed, {}, why);
}

std::optional<launch::report> report_in(const sys::packet& packet) {
  auto out = launch::report{};
  if (packet.bytes.size() != sizeof out)
    return std::nullopt;
  std::memcpy(&out, packet.bytes.data(), sizeof out);
  if (out.magic != launch::report{}.magic
      || out.subject_length > sizeof out.subject)
    return std::nullopt;
  return out;
}

/// One report. A failure of `spawned` ends the process that was spawned; its
/// launcher then reports, and cleans up.
void take(heard& to, const hearing& by, const launch::report& said,
          sys::packet& packet) {
  switch (said.kind) {
  case launch::report_kind::spawned:
    if (to.process.pidfd) // once, by the launcher: who comes later is not it
      return;
    to.process.pid = said.pid;
    if (!packet.fds.empty())
      to.process.pidfd = std::move(packet.fds.front());
    if (const auto noted = by.spawned(said.pid); !noted) {
      to.failed = as_report(noted.error());
      (void)sys::send_signal(to.process.pidfd.get(), SIGKILL);
    }
    return;
  case launch::report_kind::failed:
    if (!to.failed)
      to.failed = said;
    return;
  case launch::report_kind::hook_warning:
    return by.warned(said);
  case launch::report_kind::created:
  case launch::report_kind::done:
    return;
  }
}

void listen(int line, const hearing& by, heard& to) {
  for (;;) {
    auto packet = sys::receive_packet(line);
    if (!packet || packet->closed)
      return;
    if (const auto said = report_in(*packet))
      take(to, by, *said, *packet);
  }
}

} // namespace

heard run_launcher(const std::function<int(int)>& body, const hearing& by) {
  heard out;
  auto line = sys::seqpacket_pair();
  auto child = line ? sys::clone_process(sys::parentage::own, 0, -1)
                    : fail(line.error());
  if (!child) {
    out.failed = as_report(child.error());
    return out;
  }
  if (child->pid == 0)
    ::_exit(body(line->second.get()));
  line->second.reset();
  listen(line->first.get(), by, out);
  const auto ended = sys::wait_for_exit(child->pidfd.get());
  if (!out.failed && (!ended || ended->shell_code() != 0))
    out.failed = as_report(
      {fault::os, 0,
       "the launcher died: "
         + (ended ? "exit code " + std::to_string(ended->shell_code())
                  : ended.error().what)});
  if (out.failed && out.process.pidfd)
    (void)sys::wait_for_exit(out.process.pidfd.get()); // dead: see launch.hpp
  return out;
}

std::optional<launch::report> send_start(int line,
                                         std::chrono::milliseconds patience) {
  constexpr std::array<std::uint8_t, 1> go{1};
  if (const auto sent = sys::send_packet(line, go); !sent)
    return as_report(sent.error());
  const auto ready = sys::wait_readable(line, patience);
  if (ready && !*ready)
    return as_report({fault::timed_out, ETIMEDOUT,
                      "wait for the program to be executed: ETIMEDOUT"});
  const auto packet = sys::receive_packet(line);
  // A reset connection is an end of file too, without its order.
  return packet ? report_in(*packet) : std::nullopt;
}

} // namespace troupe::oci_runtime
