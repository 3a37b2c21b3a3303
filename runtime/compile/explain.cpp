#include "runtime/compile/explain.hpp"

#include "runtime/compile/explain_words.hpp"

#include <charconv>
#include <ctime>
#include <linux/filter.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace troupe::plan {

namespace {

// Whose eyes see a step: the host's namespaces before or beside the container
// (`host`), the launcher for its child (`parent`), init before its root is in
// place (`init`) and after (`container`).
constexpr std::string_view host = "host";
constexpr std::string_view parent = "parent";
constexpr std::string_view init = "init";
constexpr std::string_view container = "container";

/// Collects steps and numbers them.
class listing {
public:
  explicit listing(const launch_plan& plan) : plan_(plan) {
  }

  void add(phase in, std::uint32_t index, std::string_view where,
           std::string what) {
    add(to_string(in), where, std::move(what), origin_of(plan_, in, index));
  }

  void add(std::string_view phase, std::string_view where, std::string what,
           std::string_view origin) {
    steps_.push_back({static_cast<std::uint32_t>(steps_.size() + 1),
                      std::string{phase}, std::move(what), std::string{origin},
                      std::string{where}});
  }

  /// One step for each element of a phase's list.
  template <class T, class F>
  void each(phase in, std::string_view where, const std::vector<T>& xs, F say) {
    for (std::uint32_t i = 0; i != xs.size(); ++i)
      add(in, i, where, say(xs[i]));
  }

  [[nodiscard]] std::vector<explained_step> take() && {
    return std::move(steps_);
  }

private:
  const launch_plan& plan_;
  std::vector<explained_step> steps_;
};

// -- sentences ----------------------------------------------------------------

std::string in_parentheses(const std::string& words) {
  return words.empty() ? "" : " (" + words + ")";
}

std::string say(const cgroup_dir& x) {
  return (x.controller.empty() ? "v2" : x.controller) + " cgroup " + x.mount
         + x.path;
}

std::string say(const mount& x) {
  const auto words = in_parentheses(mount_words(x));
  switch (x.kind) {
  case mount_kind::bind:
    return "bind " + x.source + " on " + x.target + words;
  case mount_kind::cgroup:
    return "mount the container's cgroups on " + x.target + words;
  case mount_kind::remount:
    return "remount " + x.target + words;
  case mount_kind::filesystem:
    break;
  }
  const auto from = x.source.empty() || x.source == x.type
                      ? ""
                      : " from " + x.source;
  return "mount " + x.type + from + " on " + x.target + words;
}

std::string octal(std::uint32_t mode) {
  char digits[12];
  const auto end = std::to_chars(digits, digits + sizeof digits, mode, 8).ptr;
  return "0" + std::string(digits, end);
}

std::string say(const device& x) {
  const auto type = x.mode & S_IFMT;
  const auto* word = type == S_IFBLK   ? "block device "
                     : type == S_IFIFO ? "fifo "
                                       : "character device ";
  auto out = word + x.path;
  if (type != S_IFIFO)
    out += " " + std::to_string(x.major) + ":" + std::to_string(x.minor);
  out += " mode " + octal(x.mode & ~static_cast<std::uint32_t>(S_IFMT));
  if (x.uid != 0 || x.gid != 0)
    out += " owner " + std::to_string(x.uid) + ":" + std::to_string(x.gid);
  return out;
}

std::string say(const id_map& x) {
  return std::to_string(x.container_id) + " to " + std::to_string(x.host_id)
         + ", " + std::to_string(x.size) + " ids";
}

std::string limit(std::uint64_t x) {
  return x == RLIM_INFINITY ? "unlimited" : std::to_string(x);
}

std::string say(const rlimit& x) {
  return std::string{rlimit_word(x.resource)} + " soft " + limit(x.soft)
         + ", hard " + limit(x.hard);
}

std::string say(const hook& x) {
  auto out = "run " + (x.args.empty() ? x.path : command_line(x.args));
  if (!x.args.empty() && x.args.front() != x.path)
    out = "run " + x.path + " as " + command_line(x.args);
  if (!x.env.empty())
    out += ", env " + redacted(x.env);
  if (x.timeout_s != 0)
    out += ", at most " + std::to_string(x.timeout_s) + " s";
  return out;
}

/// One part per distinct set: `CAP_KILL (bounding, permitted), none (ambient)`.
std::string say(const capability_sets& x) {
  struct named {
    std::string_view name;
    std::uint64_t mask;
  };
  std::vector<named> left{{"bounding", x.bounding},
                          {"permitted", x.permitted},
                          {"effective", x.effective},
                          {"inheritable", x.inheritable},
                          {"ambient", x.ambient}};
  std::string out;
  while (!left.empty()) {
    const auto mask = left.front().mask;
    std::string names;
    std::erase_if(left, [&](const named& each) {
      if (each.mask == mask)
        names.append(names.empty() ? "" : ", ").append(each.name);
      return each.mask == mask;
    });
    out.append(out.empty() ? "" : "; ").append(names);
    out.append(": ").append(capability_words(mask));
  }
  return out;
}

// -- the order of execution, runtime/launch/launch.hpp ------------------------

void add_host_side(const launch_plan& plan, listing& to) {
  const auto& mounts = plan.rootfs.mounts;
  for (std::uint32_t i = 0; i != mounts.size(); ++i)
    if (mounts[i].kind == mount_kind::bind)
      to.add(to_string(phase::prepare), host,
             "open bind source " + mounts[i].source, mounts[i].origin);
  to.each(phase::cgroup_create, host, plan.cgroup.dirs,
          [](const auto& x) { return "create " + say(x); });
  to.each(phase::cgroup_write, host, plan.cgroup.writes,
          [](const auto& x) { return x.file + " = " + x.value; });
}

void add_clone(const namespaces& x, listing& to) {
  to.each(phase::join_namespace, parent, x.joins, [](const auto& join) {
    return "join " + namespace_words(join.flag) + " namespace " + join.path;
  });
  to.add(phase::clone, 0, parent,
         x.clone_flags == 0
           ? "clone without new namespaces"
           : "clone with new namespaces: " + namespace_words(x.clone_flags));
  for (const auto& offset : x.time_offsets)
    to.add(to_string(phase::clone), parent,
           std::string{"shift "}
             + (offset.clock == CLOCK_MONOTONIC ? "monotonic" : "boottime")
             + " clock by " + std::to_string(offset.secs) + " s "
             + std::to_string(offset.nanosecs) + " ns",
           "/linux/timeOffsets");
  for (const auto& map : x.uid_map)
    to.add(phase::id_map, 0, parent, "map uid " + say(map));
  for (const auto& map : x.gid_map)
    to.add(phase::id_map, 1, parent, "map gid " + say(map));
}

void add_surroundings(const launch_plan& plan, listing& to) {
  to.each(phase::cgroup_place, init, plan.cgroup.dirs,
          [](const auto& x) { return "enter " + say(x); });
  if (plan.loopback_up)
    to.add(phase::loopback, 0, init, "bring lo up");
  if (!plan.hostname.empty())
    to.add(phase::hostname, 0, init, "set hostname " + plan.hostname);
  if (!plan.domainname.empty())
    to.add(phase::hostname, 1, init, "set domainname " + plan.domainname);
}

void add_file_system(const launch_plan& plan, listing& to) {
  const auto& x = plan.rootfs;
  if (x.host_propagation != 0)
    to.add(to_string(phase::rootfs), init,
           "make the host's mounts " + propagation_word(x.host_propagation),
           "");
  to.add(phase::rootfs, 0, init,
         "bind root " + x.path
           + in_parentheses(propagation_word(x.propagation)));
  to.each(phase::mount, init, x.mounts,
          [](const auto& each) { return say(each); });
  to.each(phase::device, init, x.devices,
          [](const auto& each) { return say(each); });
  to.each(phase::symlink, init, x.symlinks, [](const auto& each) {
    return "symlink " + each.path + " to " + each.target;
  });
  if (plan.process.terminal)
    to.add(phase::console, 0, init, "open a terminal as /dev/console");
}

void add_create_hooks(const hooks& x, listing& to) {
  const auto words = [](const auto& each) { return say(each); };
  to.each(phase::hook_prestart, host, x.prestart, words);
  to.each(phase::hook_create_runtime, host, x.create_runtime, words);
  to.each(phase::hook_create_container, init, x.create_container, words);
}

void add_inside(const launch_plan& plan, listing& to) {
  const auto& x = plan.rootfs;
  to.add(phase::pivot_root, 0, init, "change root to " + x.path);
  to.each(phase::sysctl, container, plan.sysctls,
          [](const auto& each) { return each.key + " = " + each.value; });
  to.each(phase::masked_path, container, x.masked,
          [](const auto& each) { return "mask " + each.path; });
  to.each(phase::readonly_path, container, x.readonly_paths,
          [](const auto& each) { return "make " + each.path + " read-only"; });
  if (x.readonly)
    to.add(phase::readonly_root, 0, container, "make the root read-only");
  to.each(phase::rlimit, container, plan.process.rlimits,
          [](const auto& each) { return say(each); });
  if (!plan.process.oom_score_adj.empty())
    to.add(phase::oom_score_adj, 0, container,
           "oom_score_adj = " + plan.process.oom_score_adj);
}

void add_identity(const process& x, listing& to) {
  auto user = "become uid " + std::to_string(x.uid) + ", gid "
              + std::to_string(x.gid);
  for (std::size_t i = 0; i != x.groups.size(); ++i)
    user += (i == 0 ? ", groups " : " ") + std::to_string(x.groups[i]);
  if (x.umask >= 0)
    user += ", umask " + octal(static_cast<std::uint32_t>(x.umask));
  to.add(phase::user, 0, container, std::move(user));
}

void add_capabilities(const process& x, listing& to) {
  if (x.capabilities.set)
    to.add(phase::capabilities, 0, container, say(x.capabilities));
}

void add_seccomp(const seccomp_filter& x, listing& to) {
  if (x.program.empty())
    return;
  const auto count = x.program.size() / sizeof(sock_filter);
  to.add(phase::seccomp, 0, container,
         "install a filter of " + std::to_string(count) + " instructions");
}

void add_process(const process& x, listing& to) {
  add_identity(x, to);
  // Without no_new_privs a filter needs CAP_SYS_ADMIN, seccomp(2): it comes
  // before the capabilities go. With it, it comes as late as it can.
  if (!x.no_new_privileges)
    add_seccomp(x.seccomp, to);
  add_capabilities(x, to);
  if (x.no_new_privileges) {
    to.add(to_string(phase::capabilities), container, "set no_new_privs",
           "/process/noNewPrivileges");
    add_seccomp(x.seccomp, to);
  }
  if (x.args.empty())
    return;
  to.add(phase::cwd, 0, container, "change directory to " + x.cwd);
  to.add(phase::exec, 0, container,
         "execute " + command_line(x.args)
           + (x.env.empty() ? "" : ", env " + redacted(x.env)));
}

} // namespace

std::vector<explained_step> explain(const launch_plan& plan) {
  listing to{plan};
  const auto words = [](const auto& each) { return say(each); };
  add_host_side(plan, to);
  add_clone(plan.namespaces, to);
  add_surroundings(plan, to);
  add_file_system(plan, to);
  add_create_hooks(plan.hooks, to);
  add_inside(plan, to);
  to.add("created", container, "init waits for start", "");
  to.each(phase::hook_start_container, container, plan.hooks.start_container,
          words);
  add_process(plan.process, to);
  to.each(phase::hook_poststart, host, plan.hooks.poststart, words);
  to.each(phase::hook_poststop, host, plan.hooks.poststop, words);
  return std::move(to).take();
}

} // namespace troupe::plan
