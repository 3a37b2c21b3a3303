#include "runtime/launch/resctrl.hpp"

#include "runtime/linux/file.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  const auto last = text.find_last_not_of(" \t");
  return first == text.npos ? "" : text.substr(first, last - first + 1);
}

/// The text up to `end`, cut off `rest` together with it.
std::string_view take(std::string_view& rest, char end) {
  const auto size = std::min(rest.find(end), rest.size());
  const auto out = rest.substr(0, size);
  rest.remove_prefix(std::min(size + 1, rest.size()));
  return out;
}

/// "00FF" and "ff" are one mask.
std::string normal(std::string_view value) {
  auto out = std::string{trimmed(value)};
  out.erase(0, std::min(out.find_first_not_of('0'), out.size() - 1));
  for (auto& c : out)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

struct schema {
  std::string_view resource; ///< L3, MB...
  std::map<std::string, std::string> domains;
};

/// "L3:0=7ff;1=7f"
schema parse(std::string_view line) {
  schema out;
  out.resource = trimmed(take(line, ':'));
  while (!line.empty()) {
    auto domain = take(line, ';');
    const auto id = std::string{trimmed(take(domain, '='))};
    out.domains[id] = domain.empty() ? "" : normal(domain);
  }
  return out;
}

bool holds(const schema& has, const schema& wanted) {
  return has.resource == wanted.resource
         && std::ranges::all_of(wanted.domains, [&](const auto& each) {
              const auto found = has.domains.find(each.first);
              return found != has.domains.end() && found->second == each.second;
            });
}

std::string monitoring_group(const plan::intel_rdt& group,
                             const std::string& id) {
  return group.directory + "/mon_groups/" + id;
}

outcome check_schemata(const plan::intel_rdt& group) {
  TROUPE_TRY(const auto text,
             sys::read_file(AT_FDCWD, group.directory + "/schemata"));
  for (const auto& line : group.schemata)
    if (!says(text, line))
      return fail_os(EEXIST, "the class is there with another schema than",
                     line);
  return {};
}

/// The kernel says more in info/last_cmd_status than by its errno.
outcome write_schemata(const plan::intel_rdt& group) {
  for (const auto& line : group.schemata) {
    const auto written = sys::write_file(
      AT_FDCWD, group.directory + "/schemata", line + "\n");
    if (written)
      continue;
    const auto top = std::filesystem::path{group.directory}.parent_path();
    auto why = written.error();
    why.what.append(": ").append(line);
    if (const auto said = sys::read_file(AT_FDCWD,
                                         top / "info/last_cmd_status"))
      why.what.append(": ").append(said->substr(0, said->find('\n')));
    return fail(std::move(why));
  }
  return {};
}

/// True: made.
result<bool> make_class(const plan::intel_rdt& group) {
  const auto* path = group.directory.c_str();
  // A class that is named and not described has to be there.
  if (group.shared && group.schemata.empty()) {
    struct stat info {};
    if (::stat(path, &info) != 0)
      return fail_os(errno, "find the class", group.directory);
    return false;
  }
  if (::mkdir(path, 0755) == 0)
    return true;
  if (errno != EEXIST)
    return fail_os(errno, "mkdir", group.directory);
  return false;
}

outcome remove(const std::string& directory) {
  if (::rmdir(directory.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR)
    return fail_os(errno, "rmdir", directory);
  return {};
}

outcome configure(const plan::launch_plan& plan, bool made) {
  const auto& group = plan.intel_rdt;
  if (group.shared && !made)
    TROUPE_CHECK(check_schemata(group));
  else
    TROUPE_CHECK(write_schemata(group));
  if (!group.monitoring)
    return {};
  const auto path = monitoring_group(group, plan.id);
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
    return fail_os(errno, "mkdir", path);
  return {};
}

} // namespace

bool says(std::string_view schemata, std::string_view line) {
  const auto wanted = parse(line);
  while (!schemata.empty())
    if (holds(parse(take(schemata, '\n')), wanted))
      return true;
  return false;
}

result<bool> prepare_resctrl(const plan::launch_plan& plan, progress& at) {
  if (plan.intel_rdt.directory.empty())
    return false;
  at = {plan::phase::intel_rdt, 0};
  TROUPE_TRY(const auto made, make_class(plan.intel_rdt));
  if (const auto done = configure(plan, made); !done) {
    (void)remove_resctrl(plan, made); // the failure is `done`'s
    return fail(done.error());
  }
  return made;
}

outcome enter_resctrl(const plan::intel_rdt& group, const std::string& id,
                      pid_t pid, progress& at) {
  if (group.directory.empty())
    return {};
  at = {plan::phase::intel_rdt, 0};
  const auto task = std::to_string(pid) + "\n";
  TROUPE_CHECK(sys::write_file(AT_FDCWD, group.directory + "/tasks", task));
  if (!group.monitoring)
    return {};
  return sys::write_file(AT_FDCWD, monitoring_group(group, id) + "/tasks",
                         task);
}

outcome remove_resctrl(const plan::launch_plan& plan, bool made) {
  const auto& group = plan.intel_rdt;
  if (group.directory.empty())
    return {};
  if (group.monitoring)
    TROUPE_CHECK(remove(monitoring_group(group, plan.id)));
  if (group.shared && !made)
    return {};
  return remove(group.directory);
}

} // namespace troupe::launch
