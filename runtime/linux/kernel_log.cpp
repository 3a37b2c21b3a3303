#include "runtime/linux/kernel_log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

/// include/linux/proc_ns.h: PROC_PID_INIT_INO.
constexpr ino_t initial_pid_namespace = 0xEFFFFFFC;

/// The value of ",KEY=" up to the next comma, but for the task's name, which
/// may hold any character and ends at ",pid=".
std::string_view value_of(std::string_view line, std::string_view key,
                          std::string_view end = ",") {
  const auto at = line.find(key);
  if (at == line.npos)
    return {};
  line.remove_prefix(at + key.size());
  return line.substr(0, std::min(line.find(end), line.find('\n')));
}

/// `path` is `top` or below it, wherever the root of our own view is.
bool lies_in(std::string_view path, std::string_view top) {
  const auto at = path.rfind(top);
  if (top.empty() || at == path.npos)
    return false;
  const auto rest = path.substr(at + top.size());
  return rest.empty() || rest.starts_with('/');
}

} // namespace

std::optional<oom_report> parse_oom_report(std::string_view record) {
  // "6,1234,5678,-;text": from 8 on it is not the kernel that speaks, whatever
  // the text says.
  auto priority = 0U;
  const auto text = record.find(';');
  std::from_chars(record.data(), record.data() + record.size(), priority);
  if (text == record.npos || priority > 7
      || !record.substr(text + 1).starts_with("oom-kill:constraint="))
    return std::nullopt;
  oom_report out;
  out.limited = value_of(record, ",oom_memcg=");
  out.cgroup = value_of(record, ",task_memcg=");
  out.command = value_of(record, ",task=", ",pid=");
  const auto pid = value_of(record, ",pid=");
  std::from_chars(pid.data(), pid.data() + pid.size(), out.pid);
  return out;
}

bool in_initial_pid_namespace() {
  struct stat info {};
  return ::stat("/proc/self/ns/pid", &info) == 0
         && info.st_ino == initial_pid_namespace;
}

result<std::unique_ptr<kernel_log>> kernel_log::open() {
  unique_fd fd{::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  if (!fd)
    return fail_os(errno, "open", "/dev/kmsg");
  if (::lseek(fd.get(), 0, SEEK_END) < 0)
    return fail_os(errno, "lseek", "/dev/kmsg");
  return std::unique_ptr<kernel_log>{new kernel_log{std::move(fd)}};
}

void kernel_log::read_all() {
  std::array<char, 8192> record; // CONSOLE_EXT_LOG_MAX
  for (;;) {
    const auto n = ::read(fd_.get(), record.data(), record.size());
    if (n < 0 && (errno == EPIPE || errno == EINTR))
      continue; // overwritten before we came
    if (n <= 0)
      return;
    auto report = parse_oom_report(
      {record.data(), static_cast<std::size_t>(n)});
    if (!report)
      continue;
    reports_.push_back(*std::move(report));
    if (reports_.size() > kept_reports)
      reports_.pop_front();
  }
}

std::optional<oom_report> kernel_log::take_oom(std::string_view cgroup) {
  const std::lock_guard lock{guard_};
  read_all();
  const auto found = std::ranges::find_if(
    reports_, [&](const auto& each) { return lies_in(each.cgroup, cgroup); });
  if (found == reports_.end())
    return std::nullopt;
  auto out = std::move(*found);
  reports_.erase(found);
  return out;
}

} // namespace troupe::sys
