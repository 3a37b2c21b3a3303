#include "runtime/shim/children.hpp"

#include "runtime/launch/progress.hpp"
#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::shim {

namespace {

/// How many of the dead one sweep takes before the loop goes on.
constexpr auto sweep_size = 256;

// A dead child that is left to be reaped, or 0.
pid_t dead_child() {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0)
    return 0;
  return info.si_pid;
}

result<child> fork_as(sys::parentage whose,
                      const std::function<int(int)>& body) {
  TROUPE_TRY(auto line, sys::seqpacket_pair());
  if (::fcntl(line.first.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0)
    return fail_os(errno, "fcntl O_NONBLOCK", "report line");
  TROUPE_TRY(auto forked, sys::clone_process(whose, 0, -1));
  if (forked.pid == 0) {
    line.first.reset();
    ::_exit(body(line.second.get()));
  }
  return child{forked.pid, std::move(forked.pidfd), std::move(line.first)};
}

} // namespace

result<child> fork_child(const own_process& self,
                         const std::function<int(int)>& body) {
  return fork_as(sys::parentage::own, [&](int line) {
    self.restore_in_child();
    return body(line);
  });
}

result<child> fork_sibling(const std::function<int(int)>& body) {
  return fork_as(sys::parentage::sibling, body);
}

line_event next_report(int line) {
  line_event out;
  auto got = sys::receive_packet(line, sizeof out.report);
  if (!got) {
    out.what = got.error().code == fault::exhausted ? line_event::kind::empty
                                                    : line_event::kind::closed;
    return out;
  }
  if (got->bytes.size() != sizeof out.report) {
    out.what = line_event::kind::closed;
    return out;
  }
  std::memcpy(&out.report, got->bytes.data(), sizeof out.report);
  const auto legal = out.report.magic == launcher::report{}.magic
                     && out.report.subject_length <= sizeof out.report.subject;
  out.what = legal ? line_event::kind::report : line_event::kind::closed;
  if (!got->fds.empty())
    out.fd = std::move(got->fds.front());
  return out;
}

step_report step_of(const launcher::report& from) {
  return {static_cast<std::uint8_t>(from.phase), from.index, from.os_errno,
          std::string{from.subject_text()}};
}

launcher::report prepare_failure(const failure& why) {
  return launcher::make_report(launcher::report_kind::failed, {}, why);
}

void child_table::bury(pid_t pid, const std::function<void()>& look_again) {
  if (auto* whose = parent_of(pid))
    return whose->look();
  const auto held = sys::open_pidfd(pid);
  if (!held) // reaped by its parent, which has forgotten it
    return;
  look_again();
  if (auto* whose = parent_of(pid))
    return whose->look();
  (void)sys::reap(held->get());
}

bool child_table::sweep(const std::function<void()>& look_again) {
  pid_t last = 0;
  for (auto i = 0; i < sweep_size; ++i) {
    const auto pid = dead_child();
    // The same again: its parent could not reap it and will try later.
    if (pid == 0 || pid == std::exchange(last, pid))
      return false;
    bury(pid, look_again);
  }
  return true;
}

} // namespace troupe::shim
