#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// The OCI runtime-spec 1.3 configuration (config.json) as plain structs: all
/// of it that Linux uses. Names follow the spec's, in snake_case; absent
/// optional properties are `std::nullopt` or empty. Source: runtime-spec
/// config.md and config-linux.md, v1.3.0.
namespace troupe::oci {

// -- config.md ----------------------------------------------------------------

struct root {
  std::string path; ///< Absolute, or relative to the bundle.
  bool readonly = false;
  friend bool operator==(const root&, const root&) = default;
};

struct id_mapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
  friend bool operator==(const id_mapping&, const id_mapping&) = default;
};

struct mount {
  std::string destination; ///< Absolute, inside the container.
  std::string type;
  std::string source; ///< Absolute, or relative to the bundle for binds.
  std::vector<std::string> options;
  std::vector<id_mapping> uid_mappings;
  std::vector<id_mapping> gid_mappings;
  friend bool operator==(const mount&, const mount&) = default;
};

struct console_size {
  std::uint16_t height = 0;
  std::uint16_t width = 0;
  friend bool operator==(const console_size&, const console_size&) = default;
};

struct user {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> umask;
  std::vector<std::uint32_t> additional_gids;
  friend bool operator==(const user&, const user&) = default;
};

/// Names as in capabilities(7), `CAP_` prefix included.
struct capabilities {
  std::vector<std::string> effective;
  std::vector<std::string> bounding;
  std::vector<std::string> inheritable;
  std::vector<std::string> permitted;
  std::vector<std::string> ambient;
  friend bool operator==(const capabilities&, const capabilities&) = default;
};

struct rlimit {
  std::string type; ///< `RLIMIT_NOFILE`, getrlimit(2).
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
  friend bool operator==(const rlimit&, const rlimit&) = default;
};

struct scheduler {
  std::string policy; ///< `SCHED_OTHER`, sched_setattr(2).
  std::optional<std::int32_t> nice;
  std::optional<std::int32_t> priority;
  std::vector<std::string> flags;
  std::optional<std::uint64_t> runtime;
  std::optional<std::uint64_t> deadline;
  std::optional<std::uint64_t> period;
  friend bool operator==(const scheduler&, const scheduler&) = default;
};

struct io_priority {
  std::string io_class; ///< `IOPRIO_CLASS_BE`, ioprio_set(2).
  std::int32_t priority = 0;
  friend bool operator==(const io_priority&, const io_priority&) = default;
};

struct exec_cpu_affinity {
  std::string initial; ///< A cpu list, "0-3,7".
  std::string final;
  friend bool operator==(const exec_cpu_affinity&, const exec_cpu_affinity&)
    = default;
};

struct process {
  bool terminal = false;
  std::optional<oci::console_size> console_size;
  std::string cwd;
  std::vector<std::string> env;
  std::vector<std::string> args;
  std::vector<rlimit> rlimits;
  std::string apparmor_profile;
  std::optional<oci::capabilities> capabilities;
  bool no_new_privileges = false;
  std::optional<std::int32_t> oom_score_adj;
  std::optional<oci::scheduler> scheduler;
  std::string selinux_label;
  std::optional<oci::io_priority> io_priority;
  std::optional<oci::exec_cpu_affinity> exec_cpu_affinity;
  oci::user user;
  friend bool operator==(const process&, const process&) = default;
};

struct hook {
  std::string path; ///< Absolute.
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::optional<std::int32_t> timeout; ///< Seconds, > 0.
  friend bool operator==(const hook&, const hook&) = default;
};

struct hooks {
  std::vector<hook> prestart;
  std::vector<hook> create_runtime;
  std::vector<hook> create_container;
  std::vector<hook> start_container;
  std::vector<hook> poststart;
  std::vector<hook> poststop;
  friend bool operator==(const hooks&, const hooks&) = default;
};

// -- config-linux.md ----------------------------------------------------------

enum class namespace_kind : std::uint8_t {
  pid,
  network,
  mount,
  ipc,
  uts,
  user,
  cgroup,
  time,
};

struct namespace_entry {
  namespace_kind kind = namespace_kind::pid;
  std::string path; ///< Absolute; empty: a new namespace.
  friend bool operator==(const namespace_entry&, const namespace_entry&)
    = default;
};

struct time_offset {
  std::string clock; ///< `monotonic` or `boottime`.
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;
  friend bool operator==(const time_offset&, const time_offset&) = default;
};

struct device {
  std::string type; ///< `c`, `b`, `u` or `p`.
  std::string path; ///< Absolute, inside the container.
  std::optional<std::int64_t> major;
  std::optional<std::int64_t> minor;
  std::optional<std::uint32_t> file_mode; ///< Permission bits.
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  friend bool operator==(const device&, const device&) = default;
};

struct net_device {
  std::string host_name; ///< The key in `linux.netDevices`.
  std::string name;      ///< In the container; empty: unchanged.
  friend bool operator==(const net_device&, const net_device&) = default;
};

struct device_rule {
  bool allow = false;
  std::string type; ///< `a`, `b` or `c`; empty: `a`.
  std::optional<std::int64_t> major;
  std::optional<std::int64_t> minor;
  std::string access; ///< Of `rwm`; empty: all.
  friend bool operator==(const device_rule&, const device_rule&) = default;
};

struct memory_resources {
  std::optional<std::int64_t> limit;       ///< Bytes; -1: unlimited.
  std::optional<std::int64_t> reservation; ///< Bytes.
  std::optional<std::int64_t> swap;        ///< Bytes, memory + swap.
  std::optional<std::int64_t> kernel;
  std::optional<std::int64_t> kernel_tcp;
  std::optional<std::uint64_t> swappiness;
  std::optional<bool> disable_oom_killer;
  std::optional<bool> use_hierarchy;
  std::optional<bool> check_before_update;
  friend bool operator==(const memory_resources&, const memory_resources&)
    = default;
};

struct cpu_resources {
  std::optional<std::uint64_t> shares;
  std::optional<std::int64_t> quota;   ///< µs per period; -1: unlimited.
  std::optional<std::uint64_t> burst;  ///< µs.
  std::optional<std::uint64_t> period; ///< µs.
  std::optional<std::int64_t> realtime_runtime;
  std::optional<std::uint64_t> realtime_period;
  std::string cpus;
  std::string mems;
  std::optional<std::int64_t> idle;
  friend bool operator==(const cpu_resources&, const cpu_resources&) = default;
};

struct weight_device {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
  friend bool operator==(const weight_device&, const weight_device&) = default;
};

struct throttle_device {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::uint64_t rate = 0; ///< Bytes/s or operations/s.
  friend bool operator==(const throttle_device&, const throttle_device&)
    = default;
};

struct block_io_resources {
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
  std::vector<oci::weight_device> weight_device;
  std::vector<throttle_device> throttle_read_bps;
  std::vector<throttle_device> throttle_write_bps;
  std::vector<throttle_device> throttle_read_iops;
  std::vector<throttle_device> throttle_write_iops;
  friend bool operator==(const block_io_resources&, const block_io_resources&)
    = default;
};

struct hugepage_limit {
  std::string page_size; ///< "2MB".
  std::uint64_t limit = 0;
  friend bool operator==(const hugepage_limit&, const hugepage_limit&)
    = default;
};

struct interface_priority {
  std::string name;
  std::uint32_t priority = 0;
  friend bool operator==(const interface_priority&, const interface_priority&)
    = default;
};

struct network_resources {
  std::optional<std::uint32_t> class_id;
  std::vector<interface_priority> priorities;
  friend bool operator==(const network_resources&, const network_resources&)
    = default;
};

struct rdma_limit {
  std::optional<std::uint32_t> hca_handles;
  std::optional<std::uint32_t> hca_objects;
  friend bool operator==(const rdma_limit&, const rdma_limit&) = default;
};

struct resources {
  std::vector<device_rule> devices;
  std::optional<memory_resources> memory;
  std::optional<cpu_resources> cpu;
  std::optional<std::int64_t> pids_limit; ///< <= 0: unlimited.
  std::optional<block_io_resources> block_io;
  std::vector<hugepage_limit> hugepage_limits;
  std::optional<network_resources> network;
  std::map<std::string, rdma_limit> rdma;
  std::map<std::string, std::string> unified;
  friend bool operator==(const resources&, const resources&) = default;
};

struct seccomp_arg {
  std::uint32_t index = 0;
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;
  std::string op; ///< `SCMP_CMP_EQ`...
  friend bool operator==(const seccomp_arg&, const seccomp_arg&) = default;
};

struct seccomp_rule {
  std::vector<std::string> names;
  std::string action; ///< `SCMP_ACT_ALLOW`...
  std::optional<std::uint32_t> errno_ret;
  std::vector<seccomp_arg> args;
  friend bool operator==(const seccomp_rule&, const seccomp_rule&) = default;
};

struct seccomp {
  std::string default_action;
  std::optional<std::uint32_t> default_errno_ret;
  std::vector<std::string> architectures;
  std::vector<std::string> flags;
  std::string listener_path;
  std::string listener_metadata;
  std::vector<seccomp_rule> syscalls;
  friend bool operator==(const seccomp&, const seccomp&) = default;
};

struct personality {
  std::string domain; ///< `LINUX` or `LINUX32`.
  std::vector<std::string> flags;
  friend bool operator==(const personality&, const personality&) = default;
};

struct intel_rdt {
  std::string clos_id;
  std::vector<std::string> schemata;
  std::string l3_cache_schema;
  std::string mem_bw_schema;
  bool enable_monitoring = false;
  friend bool operator==(const intel_rdt&, const intel_rdt&) = default;
};

struct memory_policy {
  std::string mode; ///< `MPOL_BIND`..., set_mempolicy(2).
  std::string nodes;
  std::vector<std::string> flags;
  friend bool operator==(const memory_policy&, const memory_policy&) = default;
};

struct linux_config {
  std::vector<namespace_entry> namespaces;
  std::vector<id_mapping> uid_mappings;
  std::vector<id_mapping> gid_mappings;
  std::vector<time_offset> time_offsets;
  std::vector<device> devices;
  std::vector<net_device> net_devices;
  std::string cgroups_path; ///< Empty: chosen by the runtime.
  std::optional<oci::resources> resources;
  /// `shared`, `slave`, `private`, `unbindable`, with or without `r` in front;
  /// empty: private.
  std::string rootfs_propagation;
  std::optional<oci::seccomp> seccomp;
  std::map<std::string, std::string> sysctl;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::string mount_label;
  std::optional<oci::personality> personality;
  std::optional<oci::intel_rdt> intel_rdt;
  std::optional<oci::memory_policy> memory_policy;
  friend bool operator==(const linux_config&, const linux_config&) = default;
};

struct spec {
  std::string oci_version;
  std::optional<oci::process> process; ///< Required before `start`.
  std::optional<oci::root> root;
  std::string hostname;
  std::string domainname;
  std::vector<mount> mounts;
  oci::hooks hooks;
  std::map<std::string, std::string> annotations;
  linux_config linux_;
  friend bool operator==(const spec&, const spec&) = default;
};

} // namespace troupe::oci
