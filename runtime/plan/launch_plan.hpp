#pragma once

#include "config/base/result.hpp"

#include <algorithm>
#include <cstdint>
#include <sched.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// A launch plan: everything that the launcher will do for one container or
/// exec session, already decided, in the order in which it happens. Plain data:
/// it is compiled by a pure function, printed by `troupe explain`, and travels
/// as CBOR in a sealed memfd. Every entry carries `origin`, the JSON pointer of
/// the line of config.json that asked for it ("" if the runtime's own default),
/// so that a failing step leads back to its cause.
namespace troupe::plan {

/// Plans of another version are refused by the launcher.
inline constexpr std::uint32_t plan_version = 3;

// -- namespaces ---------------------------------------------------------------

/// An existing namespace to be entered, in the order of the list.
struct namespace_join {
  std::uint64_t flag = 0; ///< CLONE_NEW*.
  std::string path;       ///< /proc/PID/ns/KIND or a bind mount of one.
  std::string origin;
  friend bool operator==(const namespace_join&, const namespace_join&)
    = default;
};

struct id_map {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
  friend bool operator==(const id_map&, const id_map&) = default;
};

struct time_offset {
  std::int32_t clock = 0; ///< CLOCK_MONOTONIC or CLOCK_BOOTTIME.
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;
  friend bool operator==(const time_offset&, const time_offset&) = default;
};

struct namespaces {
  std::uint64_t clone_flags = 0; ///< CLONE_NEW* to be created.
  std::vector<namespace_join> joins;
  std::vector<id_map> uid_map;
  std::vector<id_map> gid_map;
  std::vector<time_offset> time_offsets;
  /// Without CAP_SETUID: maps of more than our own id go through newuidmap(1)
  /// and newgidmap(1), and setgroups(2) is denied where they are not used.
  bool unprivileged_maps = false;
  friend bool operator==(const namespaces&, const namespaces&) = default;
};

/// Whether the container's network is not the host's.
[[nodiscard]] inline bool has_own_network(const namespaces& of) noexcept {
  return (of.clone_flags & CLONE_NEWNET) != 0
         || std::ranges::any_of(of.joins, [](const auto& each) {
              return each.flag == CLONE_NEWNET;
            });
}

// -- cgroup -------------------------------------------------------------------

enum class cgroup_mode : std::uint8_t {
  none,   ///< No cgroup is made (no rights, or none mounted).
  v1,     ///< Legacy hierarchies only.
  v2,     ///< One unified hierarchy.
  hybrid, ///< v1 controllers, and a v2 hierarchy beside them.
};

/// One cgroup directory of the container.
struct cgroup_dir {
  std::string controller; ///< "memory", "cpu,cpuacct"; "": the v2 hierarchy.
  std::string mount;      ///< Where its hierarchy is mounted, no final slash.
  std::string path;       ///< Below `mount`, starting with a slash.
  friend bool operator==(const cgroup_dir&, const cgroup_dir&) = default;
};

/// One write of a limit, in the order of the list.
struct cgroup_write {
  std::uint32_t dir = 0; ///< Index into `cgroup::dirs`.
  std::string file;      ///< "memory.limit_in_bytes"
  std::string value;
  std::string origin;
  friend bool operator==(const cgroup_write&, const cgroup_write&) = default;
};

/// A property of a unit as org.freedesktop.systemd1(5) has it. `type` is its
/// D-Bus signature: t, u, x, i (decimal), b ("true", "false"), s, or ay
/// (hexadecimal).
struct unit_property {
  std::string name;
  std::string type;
  std::string value;
  friend bool operator==(const unit_property&, const unit_property&) = default;
};

/// The transient systemd.scope(5) whose cgroup the container has: `--systemd-
/// cgroup`. Without a unit, the cgroup is made directly.
struct systemd_scope {
  std::string helper; ///< The troupe-scope program.
  std::string unit;   ///< "troupe-web.scope"
  std::string slice;  ///< "system.slice"
  std::string description;
  std::vector<unit_property> properties;
  friend bool operator==(const systemd_scope&, const systemd_scope&) = default;
};

struct cgroup {
  cgroup_mode mode = cgroup_mode::none;
  std::vector<cgroup_dir> dirs;
  std::vector<cgroup_write> writes;
  /// PSI triggers: each file stays open, and tells, as long as somebody wants
  /// to know (Documentation/accounting/psi.rst).
  std::vector<cgroup_write> triggers;
  systemd_scope scope;
  /// v2 controllers to enable from the root down to the parent: "+memory +pids"
  std::string subtree_control;
  friend bool operator==(const cgroup&, const cgroup&) = default;
};

// -- file system --------------------------------------------------------------

enum class mount_kind : std::uint8_t {
  filesystem, ///< fsopen(type), fsconfig(data), fsmount.
  bind,       ///< open_tree(source, OPEN_TREE_CLONE [| AT_RECURSIVE]).
  cgroup,     ///< The container's own cgroups, as the mode has them.
  remount,    ///< Change the mount that is at `target` already.
};

/// MOUNT_ATTR_IDMAP, mount_setattr(2), Linux 5.12.
enum class mount_idmap : std::uint8_t {
  none,
  single,    ///< idmap: the mount alone.
  recursive, ///< ridmap: with those below it.
};

struct mount {
  mount_kind kind = mount_kind::filesystem;
  std::string type;   ///< For `filesystem`: "proc", "tmpfs"...
  std::string source; ///< For `bind`: absolute on the host.
  std::string target; ///< Absolute, inside the container; resolved by openat2.
  bool recursive = false;     ///< rbind.
  std::uint64_t attr_set = 0; ///< MOUNT_ATTR_*, mount_setattr(2).
  std::uint64_t attr_clear = 0;
  std::uint64_t rec_attr_set = 0; ///< The same, AT_RECURSIVE (rro, rnosuid...).
  std::uint64_t rec_attr_clear = 0;
  std::uint64_t propagation = 0;      ///< MS_SHARED, MS_SLAVE...; 0: leave.
  bool propagation_recursive = false; ///< rshared, rslave...
  bool copy_up = false;               ///< tmpcopyup.
  mount_idmap idmap = mount_idmap::none;
  std::vector<id_map> uid_map; ///< Of `idmap`.
  std::vector<id_map> gid_map;
  /// fsconfig options: "mode=755" is a string option, "noswap" a flag.
  std::vector<std::string> data;
  std::string origin;
  friend bool operator==(const mount&, const mount&) = default;
};

struct device {
  std::string path; ///< Absolute, inside the container, below /dev or not.
  std::uint32_t mode = 0; ///< S_IFCHR | 0666
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string origin;
  friend bool operator==(const device&, const device&) = default;
};

struct symlink {
  std::string path;   ///< Absolute, inside the container.
  std::string target; ///< Its content.
  friend bool operator==(const symlink&, const symlink&) = default;
};

/// A path to be hidden (mask) or made read-only (readonly); one that does not
/// exist in the container is passed over, as the spec says.
struct guarded_path {
  std::string path;
  std::string origin;
  friend bool operator==(const guarded_path&, const guarded_path&) = default;
};

struct rootfs {
  std::string path; ///< Absolute on the host.
  bool readonly = false;
  /// MS_MOVE and chroot(2) instead of pivot_root(2): for a host whose root is
  /// an initramfs (`--no-pivot`).
  bool no_pivot = false;
  std::uint64_t propagation = 0; ///< Of the container's root, MS_*.
  /// MS_SLAVE or MS_PRIVATE applied to the new mount namespace first.
  std::uint64_t host_propagation = 0;
  std::vector<mount> mounts;
  /// True: /dev is a fresh tmpfs of the plan's mounts, to be filled with
  /// `devices` and `symlinks`; false: the config bind-mounts its own /dev.
  bool fill_dev = true;
  std::vector<device> devices;
  std::vector<symlink> symlinks;
  std::vector<guarded_path> masked;
  std::vector<guarded_path> readonly_paths;
  friend bool operator==(const rootfs&, const rootfs&) = default;
};

struct sysctl {
  std::string key; ///< "net.ipv4.ip_forward"
  std::string value;
  std::string origin;
  friend bool operator==(const sysctl&, const sysctl&) = default;
};

/// A network device that moves from the host's network namespace to the
/// container's, with its addresses.
struct net_device {
  std::string host_name;
  std::string name; ///< In the container.
  std::string origin;
  friend bool operator==(const net_device&, const net_device&) = default;
};

/// A resctrl group, Documentation/arch/x86/resctrl.rst.
struct intel_rdt {
  std::string directory; ///< /sys/fs/resctrl/CLOS; "": none.
  bool shared = false;   ///< The configuration names it: it is never removed.
  std::vector<std::string> schemata; ///< Lines, in order.
  bool monitoring = false;           ///< A mon_groups/ID of its own.
  friend bool operator==(const intel_rdt&, const intel_rdt&) = default;
};

// -- the process --------------------------------------------------------------

struct rlimit {
  std::int32_t resource = 0; ///< RLIMIT_*.
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
  std::string origin;
  friend bool operator==(const rlimit&, const rlimit&) = default;
};

/// Bit n is capability number n, capabilities(7).
struct capability_sets {
  bool set = false; ///< False: leave the sets as they are.
  std::uint64_t effective = 0;
  std::uint64_t permitted = 0;
  std::uint64_t inheritable = 0;
  std::uint64_t bounding = 0;
  std::uint64_t ambient = 0;
  friend bool operator==(const capability_sets&, const capability_sets&)
    = default;
};

/// A compiled filter: `struct sock_filter[]` in the host's byte order.
struct seccomp_filter {
  std::vector<std::uint8_t> program; ///< Empty: no filter.
  std::uint32_t flags = 0;           ///< SECCOMP_FILTER_FLAG_*.
  /// Unix socket on the host that gets the notification descriptor, with
  /// `listener_metadata` in the state beside it; "": nobody.
  std::string listener_path;
  std::string listener_metadata;
  friend bool operator==(const seccomp_filter&, const seccomp_filter&)
    = default;
};

/// sched_setattr(2).
struct scheduler {
  bool set = false;
  std::uint32_t policy = 0;   ///< SCHED_*.
  std::int32_t nice = 0;      ///< SCHED_OTHER, SCHED_BATCH.
  std::uint32_t priority = 0; ///< SCHED_FIFO, SCHED_RR.
  std::uint64_t flags = 0;    ///< SCHED_FLAG_*.
  std::uint64_t runtime = 0;  ///< SCHED_DEADLINE, ns.
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
  friend bool operator==(const scheduler&, const scheduler&) = default;
};

/// set_mempolicy(2).
struct memory_policy {
  bool set = false;
  std::uint32_t mode = 0; ///< MPOL_* | MPOL_F_*.
  std::vector<std::uint32_t> nodes;
  friend bool operator==(const memory_policy&, const memory_policy&) = default;
};

/// What only few containers ask for; defaults leave everything as it is.
struct process_attributes {
  plan::scheduler scheduler;
  /// ioprio_set(2): class << 13 | level; -1: leave.
  std::int32_t io_priority = -1;
  /// sched_setaffinity(2) before the process enters the container's cgroups,
  /// and again before exec; empty: leave. Exec sessions only.
  std::vector<std::uint32_t> initial_cpus;
  std::vector<std::uint32_t> final_cpus;
  bool set_personality = false;
  std::uint64_t personality = 0; ///< personality(2).
  plan::memory_policy memory_policy;
  std::string apparmor_profile; ///< "": leave.
  std::string selinux_label;    ///< "": leave.
  /// Name of a new session keyring, keyctl(2); "": keep the caller's.
  std::string keyring;
  friend bool operator==(const process_attributes&, const process_attributes&)
    = default;
};

struct process {
  std::vector<std::string> args; ///< Empty: nothing to start (created only).
  std::vector<std::string> env;
  std::string cwd;
  bool terminal = false;
  std::uint16_t rows = 0; ///< Of the terminal; 0: unset.
  std::uint16_t cols = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;
  std::int32_t umask = 022; ///< -1: leave.
  std::vector<rlimit> rlimits;
  std::string oom_score_adj; ///< "" leaves it.
  capability_sets capabilities;
  bool no_new_privileges = false;
  seccomp_filter seccomp;
  process_attributes attributes;
  friend bool operator==(const process&, const process&) = default;
};

// -- hooks --------------------------------------------------------------------

struct hook {
  std::string path;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::int32_t timeout_s = 0; ///< 0: no time-out of its own.
  std::string origin;
  friend bool operator==(const hook&, const hook&) = default;
};

struct hooks {
  std::vector<hook> prestart;         ///< Host namespaces, during create.
  std::vector<hook> create_runtime;   ///< Host namespaces, after prestart.
  std::vector<hook> create_container; ///< Container namespaces, before pivot.
  std::vector<hook> start_container;  ///< In the container, before exec.
  std::vector<hook> poststart;        ///< Host namespaces, after exec.
  std::vector<hook> poststop;         ///< Host namespaces, during delete.
  friend bool operator==(const hooks&, const hooks&) = default;
};

// -- the whole ----------------------------------------------------------------

struct launch_plan {
  std::uint32_t version = plan_version;
  std::string id;
  std::string bundle; ///< Absolute.
  std::string oci_version;
  /// For the state document that hooks get, in key order.
  std::vector<std::string> annotation_keys;
  std::vector<std::string> annotation_values;
  plan::namespaces namespaces;
  plan::cgroup cgroup;
  plan::rootfs rootfs;
  std::string hostname;
  std::string domainname;
  bool loopback_up = false; ///< A new network namespace is created.
  std::vector<net_device> net_devices;
  plan::intel_rdt intel_rdt;
  std::vector<sysctl> sysctls;
  plan::process process;
  plan::hooks hooks;
  /// What the spec asked for and this host does not grant, where the spec wants
  /// a warning instead of a failure: JSON pointer first. The launcher ignores
  /// it; whoever compiled logs it.
  std::vector<std::string> warnings;
  friend bool operator==(const launch_plan&, const launch_plan&) = default;
};

/// A further process in a running container. It enters every namespace of
/// `namespaces` that the container's init has, by its pidfd.
struct exec_plan {
  std::uint32_t version = plan_version;
  std::string id;      ///< The container's.
  std::string session; ///< The exec session's.
  /// As in launch_plan: for the state that a seccomp listener gets.
  std::string bundle;
  std::string oci_version;
  std::vector<std::string> annotation_keys;
  std::vector<std::string> annotation_values;
  std::uint64_t namespaces = 0; ///< CLONE_NEW* to enter, setns(2) on a pidfd.
  plan::cgroup cgroup;          ///< `dirs` only.
  plan::intel_rdt intel_rdt;    ///< Without schemata.
  plan::process process;
  std::vector<std::string> warnings; ///< As in launch_plan.
  friend bool operator==(const exec_plan&, const exec_plan&) = default;
};

// -- phases: how a failing launch says where ----------------------------------

/// What the launcher was doing. `index` in a report counts within the phase's
/// list; phases without a list use 0.
enum class phase : std::uint8_t {
  prepare,        ///< Reading the plan, opening what the host has.
  join_namespace, ///< namespaces.joins[index]
  clone,          ///< clone3
  id_map,         ///< uid_map (0) or gid_map (1)
  cgroup_create,  ///< cgroup.dirs[index]
  cgroup_write,   ///< cgroup.writes[index]
  cgroup_place,   ///< cgroup.dirs[index]
  loopback,       ///< lo up
  rootfs,         ///< opening and binding rootfs.path
  mount,          ///< rootfs.mounts[index]
  device,         ///< rootfs.devices[index]
  symlink,        ///< rootfs.symlinks[index]
  hook_prestart,  ///< hooks.prestart[index]
  hook_create_runtime,
  hook_create_container,
  pivot_root,
  masked_path,   ///< rootfs.masked[index]
  readonly_path, ///< rootfs.readonly_paths[index]
  readonly_root,
  hostname,
  sysctl, ///< sysctls[index]
  console,
  rlimit, ///< process.rlimits[index]
  oom_score_adj,
  hook_start_container,
  user,         ///< groups, gid, uid
  capabilities, ///< five sets
  seccomp,      ///< The filter (0), its listener (1)
  cwd,
  exec, ///< args[0]: ENOENT, EACCES...
  hook_poststart,
  hook_poststop,
  cgroup_kill,   ///< teardown: processes that would not die
  cgroup_remove, ///< teardown: cgroup.dirs[index]
  net_device,    ///< net_devices[index]
  intel_rdt,
  scheduler,
  io_priority,
  cpu_affinity, ///< initial (0), final (1)
  personality,
  memory_policy,
  label, ///< AppArmor (0), SELinux (1)
  keyring,
  cgroup_scope, ///< systemd's answer
};

/// "mount", "hook_prestart"...
[[nodiscard]] std::string_view to_string(phase x) noexcept;

/// The JSON pointer of step `index` of `in`, "" if the plan has none for it.
[[nodiscard]] std::string_view origin_of(const launch_plan& plan, phase in,
                                         std::uint32_t index) noexcept;

// -- codec --------------------------------------------------------------------

using bytes = std::vector<std::uint8_t>;

/// CBOR (RFC 8949) of a plan; `decode_*` refuses other versions, truncated and
/// malformed input.
[[nodiscard]] bytes encode(const launch_plan& plan);
[[nodiscard]] bytes encode(const exec_plan& plan);
[[nodiscard]] result<launch_plan>
decode_launch_plan(std::span<const std::uint8_t> cbor);
[[nodiscard]] result<exec_plan>
decode_exec_plan(std::span<const std::uint8_t> cbor);

} // namespace troupe::plan
