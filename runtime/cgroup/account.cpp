#include "runtime/cgroup/account.hpp"

#include "runtime/cgroup/stat_files.hpp"
#include "runtime/cgroup/tree.hpp"
#include "runtime/cgroup/write_list.hpp"
#include "runtime/linux/file.hpp"

namespace troupe::cgroup {

account account_of(const plan::cgroup& in, std::string_view controller) {
  auto v2 = account{};
  for (const auto& dir : in.dirs) {
    if (has_item(dir.controller, ',', controller))
      return {directory_of(dir), false};
    if (is_v2(dir))
      v2 = {directory_of(dir), true};
  }
  return v2;
}

std::string content(const account& at, const std::string& file) {
  if (!at)
    return {};
  return sys::read_file(AT_FDCWD, at.directory + "/" + file)
    .value_or(std::string{});
}

std::int64_t number_in(const account& at, const std::string& file) {
  return to_number(content(at, file));
}

} // namespace troupe::cgroup
