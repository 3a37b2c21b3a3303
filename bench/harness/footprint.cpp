#include "bench/harness/footprint.hpp"

#include "runtime/linux/file.hpp"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace troupe::bench {

namespace fs = std::filesystem;

namespace {

std::string proc_file(pid_t pid, const std::string& name) {
  return sys::read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/" + name)
    .value_or("");
}

/// The number after "NAME:" at the beginning of a line; 0 if there is none.
std::int64_t number_after(const std::string& text, const std::string& name) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name + ":"))
      return std::strtoll(line.c_str() + name.size() + 1, nullptr, 10);
  return 0;
}

} // namespace

result<footprint> footprint_of(pid_t pid) {
  const auto text = proc_file(pid, "smaps_rollup");
  if (text.empty())
    return fail(fault::not_found,
                "no smaps_rollup of process " + std::to_string(pid));
  return footprint{static_cast<double>(number_after(text, "Pss")),
                   static_cast<double>(number_after(text, "Rss"))};
}

result<footprint> footprint_of(const std::vector<pid_t>& all) {
  footprint out;
  for (const auto pid : all) {
    TROUPE_TRY(const auto one, footprint_of(pid));
    out.pss_kib += one.pss_kib;
    out.rss_kib += one.rss_kib;
  }
  return out;
}

result<usage> usage_of(pid_t pid) {
  usage out;
  std::error_code why;
  const auto process = "/proc/" + std::to_string(pid);
  for (const auto& task : fs::directory_iterator{process + "/task", why}) {
    const auto own = "task/" + task.path().filename().string();
    out.cpu_ns += std::strtoll(proc_file(pid, own + "/schedstat").c_str(),
                               nullptr, 10);
    out.switches += number_after(proc_file(pid, own + "/status"),
                                 "voluntary_ctxt_switches");
  }
  if (why)
    return fail_os(why.value(), "read", process);
  return out;
}

std::vector<pid_t> find_processes(const std::string& name,
                                  const std::string& text) {
  std::vector<pid_t> out;
  std::error_code ignored;
  for (const auto& each : fs::directory_iterator{"/proc", ignored}) {
    const auto file = each.path().filename().string();
    auto pid = pid_t{0};
    const auto parsed = std::from_chars(file.data(), file.data() + file.size(),
                                        pid);
    if (parsed.ec == std::errc{} && parsed.ptr == file.data() + file.size()
        && proc_file(pid, "comm").starts_with(name)
        && proc_file(pid, "cmdline").find(text) != std::string::npos)
      out.push_back(pid);
  }
  return out;
}

} // namespace troupe::bench
