#include "runtime/oci/ps.hpp"

#include "runtime/cgroup/cgroup.hpp"
#include "runtime/launch/c_strings.hpp"
#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/pidfd.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <unistd.h>

namespace troupe::oci_runtime {

namespace {

/// ps(1)'s output.
result<std::string> run_ps(const std::vector<std::string>& options) {
  std::vector<std::string> args{"ps"};
  args.insert(args.end(), options.begin(), options.end());
  if (options.empty())
    args.emplace_back("-ef");
  auto ends = std::array{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail_os(errno, "pipe2", "ps");
  const sys::unique_fd read_end{ends[0]};
  sys::unique_fd write_end{ends[1]};
  TROUPE_TRY(const auto child, sys::clone_process(sys::parentage::own, 0, -1));
  if (child.pid == 0) {
    ::dup2(write_end.get(), STDOUT_FILENO);
    const launch::c_strings argv{args};
    ::execvp("ps", argv.get());
    ::_exit(127);
  }
  write_end.reset();
  std::string out;
  std::array<char, 4096> piece{};
  for (ssize_t n = 0; (n = TEMP_FAILURE_RETRY(
                         ::read(read_end.get(), piece.data(), piece.size())))
                      > 0;)
    out.append(piece.data(), static_cast<std::size_t>(n));
  TROUPE_TRY(const auto ended, sys::wait_for_exit(child.pidfd.get()));
  if (ended.shell_code() != 0)
    return fail(fault::os,
                "ps: exit code " + std::to_string(ended.shell_code()));
  return out;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  while (!line.empty()) {
    const auto end = std::min(line.find_first_of(" \t"), line.size());
    if (end > 0)
      out.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return out;
}

} // namespace

result<std::vector<pid_t>> processes(const container& x) {
  if (x.plan.cgroup.mode == plan::cgroup_mode::none)
    return x.is_alive() ? std::vector<pid_t>{x.state.pid}
                        : std::vector<pid_t>{};
  auto out = cgroup::open_control(x.plan.cgroup)->processes();
  if (!out && out.error().code == fault::not_found)
    return std::vector<pid_t>{};
  return out;
}

std::string pids_json(const std::vector<pid_t>& pids) {
  return nlohmann::json(pids).dump() + '\n';
}

result<std::string> lines_of(std::string_view table,
                             const std::vector<pid_t>& pids) {
  const auto heading = table.substr(0, table.find('\n'));
  const auto titles = words(heading);
  const auto title = std::ranges::find(titles, "PID");
  if (title == titles.end())
    return fail(fault::invalid_config,
                "couldn't find PID field in ps output: choose options that "
                "show it");
  const auto column = static_cast<std::size_t>(title - titles.begin());
  auto out = std::string{heading} + '\n';
  for (auto rest = table.substr(std::min(heading.size() + 1, table.size()));
       !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto fields = words(line);
    auto pid = pid_t{};
    if (fields.size() > column)
      std::from_chars(fields[column].begin(), fields[column].end(), pid);
    if (std::ranges::count(pids, pid) > 0)
      out.append(line).append("\n");
  }
  return out;
}

result<std::string> process_table(const container& x,
                                  const std::vector<std::string>& options) {
  TROUPE_TRY(const auto pids, processes(x));
  TROUPE_TRY(const auto table, run_ps(options));
  return lines_of(table, pids);
}

} // namespace troupe::oci_runtime
