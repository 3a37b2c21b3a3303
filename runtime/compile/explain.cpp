#include "runtime/compile/explain.hpp"

#include "runtime/compile/explain_listing.hpp"
#include "runtime/compile/explain_words.hpp"

#include <ctime>
#include <sched.h>
#include <sys/stat.h>

namespace troupe::plan {

namespace {

using where::container;
using where::host;
using where::init;
using where::parent;

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
    return "change the mount on " + x.target + words;
  case mount_kind::filesystem:
    break;
  }
  const auto from = x.source.empty() || x.source == x.type
                      ? ""
                      : " from " + x.source;
  return "mount " + x.type + from + " on " + x.target + words;
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

std::string say(const net_device& x) {
  auto out = "move network device " + x.host_name + " into the container";
  return x.name == x.host_name ? out : out + " as " + x.name;
}

std::string say(const id_map& x) {
  return std::to_string(x.container_id) + " to " + std::to_string(x.host_id)
         + ", " + std::to_string(x.size) + " ids";
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

std::string say_terminal(const process& x) {
  const auto size = x.rows == 0 && x.cols == 0
                      ? ""
                      : " of " + std::to_string(x.rows) + " rows and "
                          + std::to_string(x.cols) + " columns";
  return "open a terminal" + size
         + ", send its master to the caller, put it on /dev/console";
}

// -- the order of execution, runtime/launch/launch.hpp ------------------------

void add_resctrl(const intel_rdt& x, listing& to) {
  if (x.directory.empty())
    return;
  to.add(phase::intel_rdt, 0, host,
         (x.shared ? "join resctrl class " : "create resctrl class ")
           + x.directory);
  for (const auto& line : x.schemata)
    to.add(phase::intel_rdt, 0, host, "schemata: " + line);
  if (x.monitoring)
    to.add(phase::intel_rdt, 0, host, "create a resctrl monitoring group");
}

void add_host_side(const launch_plan& plan, listing& to) {
  const auto& listener = plan.process.seccomp.listener_path;
  if (!listener.empty())
    to.add(phase::seccomp, 1, host, "connect to the listener " + listener);
  const auto& mounts = plan.rootfs.mounts;
  for (std::uint32_t i = 0; i != mounts.size(); ++i)
    if (mounts[i].kind == mount_kind::bind)
      to.add(to_string(phase::prepare), host,
             "open bind source " + mounts[i].source, mounts[i].origin);
  add_resctrl(plan.intel_rdt, to);
  to.each(phase::cgroup_create, host, plan.cgroup.dirs,
          [](const auto& x) { return "create " + say(x); });
  to.each(phase::cgroup_write, host, plan.cgroup.writes,
          [](const auto& x) { return x.file + " = " + x.value; });
}

void add_clone(const namespaces& x, const std::string& oom_score_adj,
               listing& to) {
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
  if (!oom_score_adj.empty())
    to.add(phase::oom_score_adj, 0, parent, "oom_score_adj = " + oom_score_adj);
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
    to.add(phase::console, 0, init, say_terminal(plan.process));
}

void add_net_devices(const launch_plan& plan, listing& to) {
  to.each(phase::net_device, host, plan.net_devices,
          [](const auto& each) { return say(each); });
}

void add_create_hooks(const hooks& x, listing& to) {
  const auto words = [](const auto& each) { return say(each); };
  to.each(phase::hook_prestart, host, x.prestart, words);
  to.each(phase::hook_create_runtime, host, x.create_runtime, words);
  to.each(phase::hook_create_container, init, x.create_container, words);
}

void add_inside(const launch_plan& plan, listing& to) {
  const auto& x = plan.rootfs;
  to.add(phase::pivot_root, 0, init,
         "change root to " + x.path + (x.no_pivot ? " by chroot" : ""));
  to.each(phase::sysctl, container, plan.sysctls,
          [](const auto& each) { return each.key + " = " + each.value; });
  to.each(phase::masked_path, container, x.masked,
          [](const auto& each) { return "mask " + each.path; });
  to.each(phase::readonly_path, container, x.readonly_paths,
          [](const auto& each) { return "make " + each.path + " read-only"; });
  if (x.readonly)
    to.add(phase::readonly_root, 0, container, "make the root read-only");
}

} // namespace

std::vector<explained_step> explain(const launch_plan& plan) {
  listing to{plan};
  const auto words = [](const auto& each) { return say(each); };
  add_host_side(plan, to);
  add_clone(plan.namespaces, plan.process.oom_score_adj, to);
  add_surroundings(plan, to);
  add_file_system(plan, to);
  add_net_devices(plan, to);
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
