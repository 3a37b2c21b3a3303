#include "runtime/launch/executable.hpp"

#include <cerrno>
#include <string_view>
#include <sys/stat.h>

namespace troupe::launch {

namespace {

constexpr std::string_view default_path
  = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string_view search_path(const std::vector<std::string>& env) {
  constexpr std::string_view name = "PATH=";
  for (const std::string_view x : env)
    if (x.starts_with(name))
      return x.substr(name.size());
  return default_path;
}

std::string absolute(const std::string& cwd, const std::string& path) {
  return path.starts_with('/') ? path : cwd + "/" + path;
}

/// 0, or why this file is not a program. Any execute bit will do: whether the
/// user may use it, execve decides.
int check(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return errno;
  return S_ISREG(info.st_mode) && (info.st_mode & 0111) != 0 ? 0 : EACCES;
}

} // namespace

result<std::string> find_executable(const plan::process& process) {
  const auto& name = process.args.front();
  if (name.find('/') != std::string::npos) {
    auto path = absolute(process.cwd, name);
    if (const auto why = check(path); why != 0)
      return fail_os(why, "find", name);
    return path;
  }
  auto why = ENOENT;
  auto rest = search_path(process.env);
  while (!name.empty()) {
    const auto colon = rest.find(':');
    auto path = absolute(process.cwd, std::string{rest.substr(0, colon)}) + "/"
                + name;
    const auto checked = check(path);
    if (checked == 0)
      return path;
    if (checked == EACCES)
      why = EACCES;
    if (colon == std::string_view::npos)
      break;
    rest.remove_prefix(colon + 1);
  }
  return fail_os(why, "find on PATH", name);
}

} // namespace troupe::launch
