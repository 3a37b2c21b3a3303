#include "runtime/linux/proc_info.hpp"

#include "config/base/clock.hpp"
#include "runtime/linux/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <optional>
#include <unistd.h>
#include <utility>
#include <vector>

namespace troupe::sys {

namespace {

constexpr std::size_t max_command = 4096;

/// Fields of stat(5) after the command, counted from the state.
enum : std::size_t {
  field_state,
  field_ppid,
  field_utime = 11,
  field_stime,
  field_start = 19,
  field_rss = 21,
  field_count
};

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" \n"), text.size());
    if (end > 0)
      out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

template <class Number>
bool parse(std::string_view text, Number& out) {
  return std::from_chars(text.data(), text.data() + text.size(), out).ec
         == std::errc{};
}

/// The beginning of a file that may be long.
std::string beginning(int dir, const std::string& path) {
  auto file = open_file(dir, path, O_RDONLY);
  if (!file)
    return {};
  std::array<char, max_command> bytes{};
  const auto got = ::read(file->get(), bytes.data(), bytes.size());
  return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

} // namespace

result<process_info> parse_stat(std::string_view stat) {
  const auto malformed = failure{fault::os, EINVAL, "parse /proc/PID/stat"};
  const auto open = stat.find('(');
  const auto close = stat.rfind(')');
  if (open == stat.npos || close == stat.npos || close < open)
    return fail(malformed);
  const auto fields = words(stat.substr(close + 1));
  if (fields.size() < field_count)
    return fail(malformed);
  auto out = process_info{};
  std::int64_t user = 0;
  std::int64_t system = 0;
  std::int64_t pages = 0;
  if (!parse(stat.substr(0, open), out.pid)
      || !parse(fields[field_ppid], out.ppid)
      || !parse(fields[field_utime], user)
      || !parse(fields[field_stime], system)
      || !parse(fields[field_start], out.start)
      || !parse(fields[field_rss], pages))
    return fail(malformed);
  static const auto ticks = ::sysconf(_SC_CLK_TCK);
  static const auto page = ::sysconf(_SC_PAGESIZE);
  std::int64_t used = 0;
  if (__builtin_add_overflow(user, system, &used)
      || __builtin_mul_overflow(used, 1000, &used)
      || __builtin_mul_overflow(pages, page, &out.rss))
    return fail(malformed);
  out.state = fields[field_state];
  out.cpu_ms = used / ticks;
  out.command.append("[")
    .append(stat.substr(open + 1, close - open - 1))
    .append("]");
  return out;
}

namespace {

/// The last number of status' line "NSpid:\t4711\t1".
std::optional<pid_t> inner_pid(std::string_view status) {
  constexpr std::string_view key = "\nNSpid:";
  const auto at = status.find(key);
  if (at == status.npos)
    return std::nullopt;
  status.remove_prefix(at + key.size());
  status = status.substr(0, status.find('\n'));
  pid_t out = 0;
  if (!parse(status.substr(status.rfind('\t') + 1), out))
    return std::nullopt;
  return out;
}

} // namespace

result<process_info> read_process(pid_t pid) {
  const auto path = "/proc/" + std::to_string(pid);
  TROUPE_TRY(const auto dir, open_file(AT_FDCWD, path, O_PATH | O_DIRECTORY));
  auto stat = read_file(dir.get(), "stat");
  if (!stat) // ESRCH: it went away since.
    return fail(fault::not_found, "read " + path + ": the process is gone");
  TROUPE_TRY(auto out, parse_stat(*stat));
  const auto status = read_file(dir.get(), "status").value_or("");
  if (const auto uid = status.find("\nUid:\t"); uid != status.npos)
    parse(std::string_view{status}.substr(uid + 6), out.uid);
  out.inner_pid = inner_pid(status).value_or(pid);
  auto command = beginning(dir.get(), "cmdline");
  while (!command.empty() && command.back() == '\0')
    command.pop_back();
  std::replace(command.begin(), command.end(), '\0', ' ');
  if (!command.empty())
    out.command = std::move(command);
  return out;
}

result<std::int64_t> age_of(pid_t pid) {
  TROUPE_TRY(const auto stat,
             read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/stat"));
  TROUPE_TRY(const auto info, parse_stat(stat));
  constexpr std::int64_t second = 1'000'000'000;
  static const auto tick = second / ::sysconf(_SC_CLK_TCK);
  return boot_ns() - static_cast<std::int64_t>(info.start) * tick;
}

} // namespace troupe::sys
