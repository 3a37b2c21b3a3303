#include "config/default_seccomp.hpp"
#include "config/run_options.hpp"

#include <array>
#include <string_view>

namespace troupe {

namespace {

// docker's documented defaults: 14 capabilities.
constexpr std::array<std::string_view, 14> capabilities{
  "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
  "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
  "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
  "CAP_KILL",    "CAP_AUDIT_WRITE"};

// Kernel memory, keys, timers and firmware: the host's, and not namespaced.
constexpr std::array<std::string_view, 12> masked_paths{
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware"};

constexpr std::array<std::string_view, 5> readonly_paths{
  "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

constexpr std::array kinds{
  oci::namespace_kind::pid,   oci::namespace_kind::network,
  oci::namespace_kind::ipc,   oci::namespace_kind::uts,
  oci::namespace_kind::mount, oci::namespace_kind::cgroup};

struct device_number {
  std::optional<std::int64_t> major;
  std::optional<std::int64_t> minor;
};

// The default devices of config-linux.md, and every pty of a devpts instance.
constexpr std::array device_numbers{
  device_number{1, 3},              // null
  device_number{1, 5},              // zero
  device_number{1, 7},              // full
  device_number{1, 8},              // random
  device_number{1, 9},              // urandom
  device_number{5, 0},              // tty
  device_number{5, 1},              // console
  device_number{5, 2},              // ptmx
  device_number{136, std::nullopt}, // pts/*
};

std::vector<oci::mount> mounts() {
  return {
    {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}, {}, {}},
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
    {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}, {}, {}},
    {"/sys/fs/cgroup",
     "cgroup",
     "cgroup",
     {"nosuid", "noexec", "nodev", "relatime", "ro"},
     {},
     {}},
    {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}, {}, {}},
    {"/dev/shm",
     "tmpfs",
     "shm",
     {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"},
     {},
     {}},
  };
}

/// Nothing but the default devices may be opened; any node may be made, which
/// without the right to open it is only a name.
std::vector<oci::device_rule> device_rules() {
  std::vector<oci::device_rule> out{
    {false, "a", {}, {}, "rwm"},
    {true, "c", {}, {}, "m"},
    {true, "b", {}, {}, "m"},
  };
  for (const auto& [major, minor] : device_numbers)
    out.push_back({true, "c", major, minor, "rwm"});
  return out;
}

template <class Words>
std::vector<std::string> strings(const Words& words) {
  return {words.begin(), words.end()};
}

oci::process process() {
  oci::process out;
  out.cwd = "/";
  out.env = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  auto& sets = out.capabilities.emplace();
  sets.bounding = strings(capabilities);
  sets.effective = sets.bounding;
  sets.permitted = sets.bounding;
  return out;
}

} // namespace

oci::spec default_spec(const std::string& rootfs) {
  oci::spec out;
  out.oci_version = "1.3.0";
  out.process = process();
  out.root = oci::root{rootfs, false};
  out.mounts = mounts();
  auto& in = out.linux_;
  for (const auto kind : kinds)
    in.namespaces.push_back({kind, {}});
  in.resources.emplace().devices = device_rules();
  in.masked_paths = strings(masked_paths);
  in.readonly_paths = strings(readonly_paths);
  in.seccomp = default_seccomp(out.process->capabilities->bounding);
  return out;
}

} // namespace troupe
