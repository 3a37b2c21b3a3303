#include "config/oci/example.hpp"

#include <algorithm>

namespace troupe::oci {

namespace {

process shell() {
  process out;
  out.terminal = true;
  out.cwd = "/";
  out.args = {"sh"};
  out.env = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TERM=xterm"};
  const std::vector<std::string> few{"CAP_AUDIT_WRITE", "CAP_KILL",
                                     "CAP_NET_BIND_SERVICE"};
  out.capabilities.emplace();
  out.capabilities->bounding = few;
  out.capabilities->effective = few;
  out.capabilities->permitted = few;
  out.rlimits = {{"RLIMIT_NOFILE", 1024, 1024}};
  out.no_new_privileges = true;
  return out;
}

std::vector<mount> mounts() {
  return {
    {"/proc", "proc", "proc", {}, {}, {}},
    {"/dev",
     "tmpfs",
     "tmpfs",
     {"nosuid", "strictatime", "mode=755", "size=65536k"},
     {},
     {}},
    {"/dev/pts",
     "devpts",
     "devpts",
     {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"},
     {},
     {}},
    {"/dev/shm",
     "tmpfs",
     "shm",
     {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"},
     {},
     {}},
    {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}, {}, {}},
    {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}, {}, {}},
    {"/sys/fs/cgroup",
     "cgroup",
     "cgroup",
     {"nosuid", "noexec", "nodev", "relatime", "ro"},
     {},
     {}},
  };
}

linux_config isolation() {
  linux_config out;
  for (const auto kind :
       {namespace_kind::pid, namespace_kind::network, namespace_kind::ipc,
        namespace_kind::uts, namespace_kind::mount, namespace_kind::cgroup})
    out.namespaces.push_back({kind, {}});
  device_rule none;
  none.access = "rwm";
  out.resources.emplace();
  out.resources->devices = {none};
  out.masked_paths = {"/proc/acpi",          "/proc/asound",
                      "/proc/kcore",         "/proc/keys",
                      "/proc/latency_stats", "/proc/timer_list",
                      "/proc/timer_stats",   "/proc/sched_debug",
                      "/sys/firmware",       "/proc/scsi"};
  out.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                        "/proc/sysrq-trigger"};
  return out;
}

} // namespace

spec example_spec() {
  spec out;
  out.oci_version = "1.3.0";
  out.process = shell();
  out.root = root{"rootfs", true};
  out.hostname = "troupe";
  out.mounts = mounts();
  out.linux_ = isolation();
  return out;
}

spec rootless_example_spec(std::uint32_t uid, std::uint32_t gid) {
  auto out = example_spec();
  std::erase_if(out.mounts, [](const mount& x) {
    return x.destination.starts_with("/sys");
  });
  for (auto& each : out.mounts)
    std::erase(each.options, "gid=5"); // there is only the user's own group
  out.mounts.push_back({"/sys",
                        "none",
                        "/sys",
                        {"rbind", "nosuid", "noexec", "nodev", "ro"},
                        {},
                        {}});
  auto& x = out.linux_;
  x.resources.reset();
  std::erase_if(x.namespaces, [](const namespace_entry& each) {
    return each.kind == namespace_kind::network;
  });
  x.namespaces.push_back({namespace_kind::user, {}});
  x.uid_mappings = {{0, uid, 1}};
  x.gid_mappings = {{0, gid, 1}};
  return out;
}

} // namespace troupe::oci
