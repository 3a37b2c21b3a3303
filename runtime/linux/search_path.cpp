#include "runtime/linux/search_path.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace troupe::sys {

std::string find_on_path(const std::string& name) {
  const auto* const path = std::getenv("PATH");
  auto rest = std::string_view{
    path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin"};
  while (!rest.empty()) {
    const auto size = std::min(rest.find(':'), rest.size());
    auto file = std::string{rest.substr(0, size)} + "/" + name;
    if (size > 0 && ::access(file.c_str(), X_OK) == 0)
      return file;
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
  return {};
}

} // namespace troupe::sys
