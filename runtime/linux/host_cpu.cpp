#include "runtime/linux/host_cpu.hpp"

#include "runtime/linux/file.hpp"

#include <sstream>
#include <string>
#include <unistd.h>

namespace troupe::sys {

host_cpu read_host_cpu() {
  constexpr auto counted_states = 7;
  constexpr std::int64_t ns_per_second = 1'000'000'000;
  host_cpu out;
  out.online = ::sysconf(_SC_NPROCESSORS_ONLN);
  const auto text = read_file(AT_FDCWD, "/proc/stat");
  if (!text)
    return out;
  std::istringstream line{text->substr(0, text->find('\n'))};
  std::string name;
  line >> name;
  auto ticks = std::int64_t{0};
  auto each = std::int64_t{0};
  for (auto i = 0; i < counted_states && line >> each; ++i)
    ticks += each;
  out.usage_ns = ticks * (ns_per_second / ::sysconf(_SC_CLK_TCK));
  return out;
}

} // namespace troupe::sys
