#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// JSON pointers (RFC 6901) to the places of config.json that steps come from.
namespace troupe::plan {

/// Element `index` of the list at `list`: `/mounts/3`.
[[nodiscard]] inline std::string at(std::string_view list, std::size_t index) {
  return std::string{list} + '/' + std::to_string(index);
}

/// Member `key` of the object at `object`, escaped: `/linux/sysctl/a~1b`.
[[nodiscard]] inline std::string at_key(std::string_view object,
                                        std::string_view key) {
  auto out = std::string{object} + '/';
  for (const auto each : key) {
    if (each == '~')
      out += "~0";
    else if (each == '/')
      out += "~1";
    else
      out += each;
  }
  return out;
}

} // namespace troupe::plan
