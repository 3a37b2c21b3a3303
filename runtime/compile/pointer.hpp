#pragma once

#include "config/json/pointer.hpp"

/// The JSON pointers that steps carry as their origin, as text.
namespace troupe::plan {

/// Element `index` of the list at `list`: `/mounts/3`.
[[nodiscard]] inline std::string at(std::string_view list, std::size_t index) {
  return (json::pointer{list} / index).text();
}

/// Member `key` of the object at `object`, escaped: `/linux/sysctl/a~1b`.
[[nodiscard]] inline std::string at_key(std::string_view object,
                                        std::string_view key) {
  return (json::pointer{object} / key).text();
}

} // namespace troupe::plan
