#include "bench/harness/machine.hpp"

#include "runtime/linux/file.hpp"
#include "runtime/probe/host.hpp"

#include <filesystem>
#include <sstream>
#include <sys/utsname.h>
#include <thread>

namespace troupe::bench {

namespace {

std::string line_of(const std::string& path) {
  auto text = sys::read_file(AT_FDCWD, path).value_or("");
  return text.substr(0, text.find('\n'));
}

/// The value of the first "NAME : VALUE" (/proc/cpuinfo) or NAME="VALUE"
/// (os-release).
std::string field(const std::string& path, const std::string& name) {
  std::istringstream text{sys::read_file(AT_FDCWD, path).value_or("")};
  for (std::string line; std::getline(text, line);)
    if (line.starts_with(name))
      if (const auto at = line.find_first_not_of(" \t:=\"",
                                                 line.find_first_of(":="));
          at != std::string::npos)
        return line.substr(at, line.find_last_not_of('"') + 1 - at);
  return {};
}

std::string cgroup_mode() {
  switch (sys::probe_host("/").cgroups) {
  case plan::cgroup_mode::v1:
    return "v1";
  case plan::cgroup_mode::v2:
    return "v2";
  case plan::cgroup_mode::hybrid:
    return "hybrid";
  case plan::cgroup_mode::none:
    break;
  }
  return "none";
}

std::string virtualization() {
  const auto flags = " " + field("/proc/cpuinfo", "flags") + " ";
  const auto maker = line_of("/sys/class/dmi/id/sys_vendor");
  if (flags.find(" hypervisor ") == std::string::npos)
    return "none seen";
  return maker.empty() ? "virtual machine" : "virtual machine (" + maker + ")";
}

std::string or_unknown(const std::string& text) {
  return text.empty() ? "unknown" : text;
}

} // namespace

nlohmann::json machine_facts() {
  utsname kernel{};
  ::uname(&kernel);
  return {
    {"cpu", or_unknown(field("/proc/cpuinfo", "model name"))},
    {"cores", std::thread::hardware_concurrency()},
    {"memory", or_unknown(field("/proc/meminfo", "MemTotal"))},
    {"kernel", std::string{kernel.release} + " " + kernel.machine},
    {"cgroups", cgroup_mode()},
    {"governor", or_unknown(line_of(
                   "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))},
    {"virtualization", virtualization()},
    {"system", or_unknown(field("/etc/os-release", "PRETTY_NAME"))},
    {"load_before", line_of("/proc/loadavg")},
  };
}

nlohmann::json program_versions(const std::vector<std::string>& programs,
                                runner& with) {
  auto out = nlohmann::json::object();
  for (const auto& each : programs) {
    const auto said = with.output_of({{each, "--version"}});
    out[std::filesystem::path{each}.filename().string()]
      = said ? said->substr(0, said->find('\n')) : said.error().what;
  }
  return out;
}

} // namespace troupe::bench
