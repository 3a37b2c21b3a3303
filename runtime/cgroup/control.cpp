#include "runtime/cgroup/account.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/tree.hpp"
#include "runtime/linux/file.hpp"

#include <cerrno>
#include <csignal>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace troupe::cgroup {

namespace {

/// v1: each OOM in the cgroup, or above it, adds to an eventfd.
result<control::oom_notice> watch_v1(const std::string& directory) {
  TROUPE_TRY(
    const auto source,
    sys::open_file(AT_FDCWD, directory + "/memory.oom_control", O_RDONLY));
  auto counter = sys::unique_fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!counter)
    return fail_os(errno, "eventfd", directory);
  TROUPE_CHECK(sys::write_file(AT_FDCWD, directory + "/cgroup.event_control",
                               std::to_string(counter.get()) + " "
                                 + std::to_string(source.get())));
  return control::oom_notice{std::move(counter), EPOLLIN};
}

/// v2: memory.events itself; a missing one means no controller.
result<control::oom_notice> watch_v2(const std::string& directory) {
  TROUPE_TRY(const auto dir, sys::open_file(AT_FDCWD, directory, O_PATH));
  auto events = sys::open_file(dir.get(), "memory.events", O_RDONLY);
  if (!events && events.error().code == fault::not_found)
    return control::oom_notice{};
  TROUPE_TRY(auto fd, std::move(events));
  auto out = control::oom_notice{std::move(fd), EPOLLPRI};
  rearm(out); // unread, the file counts as changed
  return out;
}

class kernel_control final : public control {
public:
  explicit kernel_control(plan::cgroup in)
    : in_(std::move(in)),
      freezer_(account_of(in_, "freezer")),
      whole_(in_.dirs.empty() ? account{} : whole_of(in_)) {
  }

  outcome freeze() override {
    return set_frozen(true);
  }

  outcome thaw() override {
    return set_frozen(false);
  }

  result<freeze_state> state() override;
  result<std::vector<pid_t>> processes() override;
  outcome signal_all(int signo) override;
  result<stats> read() override;
  result<std::int64_t> oom_kills() override;
  std::string oom_file() override;
  result<oom_notice> watch_oom() override;
  oom_origin origin_of_oom(const sys::oom_report* told) override;
  std::optional<sys::oom_report> take_oom(sys::kernel_log& from) override;

  bool remove_if_empty() override {
    return cgroup::remove_if_empty(in_);
  }

private:
  /// Where every process of the container is listed: in v2, which can kill at
  /// once, else in any hierarchy.
  static account whole_of(const plan::cgroup& in) {
    for (const auto& dir : in.dirs)
      if (is_v2(dir))
        return {directory_of(dir), true};
    return {directory_of(in.dirs.front()), false};
  }

  outcome set_frozen(bool frozen);

  /// Fails where there is nothing to look at.
  outcome check_exists() const;

  plan::cgroup in_;
  account freezer_;
  account whole_;
  limit_hits seen_;
};

tl::unexpected<failure> no_freezer() {
  return fail(fault::unsupported, "freezer: this host has no such cgroup");
}

outcome kernel_control::check_exists() const {
  if (!whole_)
    return fail(fault::unsupported, "this container has no cgroup");
  TROUPE_CHECK(sys::open_file(AT_FDCWD, whole_.directory, O_PATH));
  return {};
}

/// Whether what is below a frozen v2 cgroup is frozen, too: the kernel calls
/// one frozen as soon as its own processes are (cgroup_update_frozen,
/// Linux 6.1), and an exec session is in one below its container's.
result<bool> frozen_below(const std::string& top) {
  TROUPE_TRY(const auto dirs, subtree(top));
  for (const auto& dir : dirs) {
    const auto events = sys::read_file(AT_FDCWD, dir + "/cgroup.events");
    const auto is_gone = !events
                         && (events.error().code == fault::not_found
                             || events.error().os_errno == ENODEV);
    if (is_gone)
      continue;
    TROUPE_CHECK(events);
    if (field_of(*events, "populated") == "1"
        && field_of(*events, "frozen") != "1")
      return false;
  }
  return true;
}

outcome kernel_control::set_frozen(bool frozen) {
  if (!freezer_)
    return no_freezer();
  if (freezer_.v2)
    return sys::write_file(AT_FDCWD, freezer_.directory + "/cgroup.freeze",
                           frozen ? "1" : "0");
  return sys::write_file(AT_FDCWD, freezer_.directory + "/freezer.state",
                         frozen ? "FROZEN" : "THAWED");
}

result<freeze_state> kernel_control::state() {
  if (!freezer_)
    return no_freezer();
  if (!freezer_.v2) {
    TROUPE_TRY(const auto text,
               sys::read_file(AT_FDCWD, freezer_.directory + "/freezer.state"));
    return text.starts_with("FROZEN")     ? freeze_state::frozen
           : text.starts_with("FREEZING") ? freeze_state::freezing
                                          : freeze_state::thawed;
  }
  TROUPE_TRY(const auto wish,
             sys::read_file(AT_FDCWD, freezer_.directory + "/cgroup.freeze"));
  TROUPE_TRY(const auto events,
             sys::read_file(AT_FDCWD, freezer_.directory + "/cgroup.events"));
  if (field_of(events, "frozen") == "1") { // perhaps by a cgroup above
    TROUPE_TRY(const auto whole, frozen_below(freezer_.directory));
    return whole ? freeze_state::frozen : freeze_state::freezing;
  }
  return wish.starts_with('1') ? freeze_state::freezing : freeze_state::thawed;
}

result<std::vector<pid_t>> kernel_control::processes() {
  TROUPE_CHECK(check_exists());
  return processes_below(whole_.directory);
}

outcome kernel_control::signal_all(int signo) {
  TROUPE_CHECK(check_exists());
  if (signo == SIGKILL && whole_.v2) {
    auto killed = sys::write_file(AT_FDCWD, whole_.directory + "/cgroup.kill",
                                  "1");
    if (killed || killed.error().code != fault::not_found) // Linux 5.14
      return killed;
  }
  auto done = std::set<pid_t>{};
  return signal_below(whole_.directory, signo, done);
}

result<stats> kernel_control::read() {
  TROUPE_CHECK(check_exists());
  return read_stats(in_);
}

result<std::int64_t> kernel_control::oom_kills() {
  return read_oom_kills(in_);
}

oom_origin kernel_control::origin_of_oom(const sys::oom_report* told) {
  auto risen = cgroup::origin_of_oom(in_, seen_);
  return told ? origin_named(in_, told->limited) : std::move(risen);
}

std::optional<sys::oom_report> kernel_control::take_oom(sys::kernel_log& from) {
  return in_.dirs.empty() ? std::nullopt : from.take_oom(in_.dirs.front().path);
}

std::string kernel_control::oom_file() {
  const auto at = account_of(in_, "memory");
  const auto file = at.directory + "/memory.events";
  return at.v2 && ::access(file.c_str(), R_OK) == 0 ? file : std::string{};
}

result<control::oom_notice> kernel_control::watch_oom() {
  const auto at = account_of(in_, "memory");
  if (!at)
    return oom_notice{};
  return at.v2 ? watch_v2(at.directory) : watch_v1(at.directory);
}

} // namespace

void rearm(const control::oom_notice& notice) noexcept {
  char text[512];
  ::lseek(notice.fd.get(), 0, SEEK_SET); // an eventfd has no position
  while (::read(notice.fd.get(), text, sizeof text) > 0)
    continue;
}

std::unique_ptr<control> open_control(plan::cgroup in) {
  return std::make_unique<kernel_control>(std::move(in));
}

} // namespace troupe::cgroup
