#include "runtime/linux/host_memory.hpp"

#include "runtime/linux/file.hpp"

#include <sstream>
#include <string>

namespace troupe::sys {

host_memory read_host_memory() {
  constexpr std::int64_t kib = 1024;
  host_memory out;
  const auto text = read_file(AT_FDCWD, "/proc/meminfo");
  if (!text)
    return out;
  std::istringstream lines{*text};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string name;
    std::int64_t value = 0;
    words >> name >> value;
    if (name == "MemTotal:")
      out.total = value * kib;
    else if (name == "MemAvailable:")
      out.available = value * kib;
  }
  return out;
}

} // namespace troupe::sys
