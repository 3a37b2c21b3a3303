#include "runtime/compile/facilities.hpp"
#include "runtime/compile/pointer.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <sched.h>

// linux/sched.h has it since 5.6, glibc's sched.h since 2.36.
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace troupe::plan {

namespace {

struct namespace_row {
  oci::namespace_kind kind;
  std::uint64_t flag;
};

// In the order in which they are joined: user first, because it owns the
// others and its rights are needed to enter them; mount last, because the
// paths of the others are looked up in ours.
constexpr std::array namespace_rows{
  namespace_row{oci::namespace_kind::user, CLONE_NEWUSER},
  namespace_row{oci::namespace_kind::pid, CLONE_NEWPID},
  namespace_row{oci::namespace_kind::network, CLONE_NEWNET},
  namespace_row{oci::namespace_kind::ipc, CLONE_NEWIPC},
  namespace_row{oci::namespace_kind::uts, CLONE_NEWUTS},
  namespace_row{oci::namespace_kind::cgroup, CLONE_NEWCGROUP},
  namespace_row{oci::namespace_kind::time, CLONE_NEWTIME},
  namespace_row{oci::namespace_kind::mount, CLONE_NEWNS},
};

struct clock_row {
  std::string_view name;
  std::int32_t clock;
};

// The clocks that a time namespace can shift, time_namespaces(7).
constexpr std::array clock_rows{
  clock_row{"monotonic", CLOCK_MONOTONIC},
  clock_row{"boottime", CLOCK_BOOTTIME},
};

result<std::vector<time_offset>>
time_offsets(const std::vector<oci::time_offset>& offsets) {
  std::vector<time_offset> out;
  for (const auto& x : offsets) {
    const auto row = std::ranges::find(clock_rows, x.clock, &clock_row::name);
    if (row == clock_rows.end())
      return fail(fault::invalid_config,
                  at_key("/linux/timeOffsets", x.clock)
                    + ": not a clock of a time namespace, expected monotonic "
                      "or boottime");
    out.push_back({row->clock, x.secs, x.nanosecs});
  }
  return out;
}

/// A joined user namespace has its mappings already. Others give them again,
/// right or made up (podman: 0 to 0); the kernel's hold in any case.
void warn_of_mappings(const oci::linux_config& in, warnings& to) {
  if (!in.uid_mappings.empty())
    to.emplace_back("/linux/uidMappings: not used, the joined user namespace "
                    "has its own");
  if (!in.gid_mappings.empty())
    to.emplace_back("/linux/gidMappings: not used, the joined user namespace "
                    "has its own");
}

} // namespace

const oci::namespace_entry* find_namespace(const oci::linux_config& in,
                                           oci::namespace_kind kind) noexcept {
  const auto i = std::ranges::find(in.namespaces, kind,
                                   &oci::namespace_entry::kind);
  return i == in.namespaces.end() ? nullptr : &*i;
}

std::vector<id_map> id_maps(const std::vector<oci::id_mapping>& mappings) {
  std::vector<id_map> out;
  for (const auto& x : mappings)
    out.push_back({x.container_id, x.host_id, x.size});
  return out;
}

std::uint64_t own_namespaces(const namespaces& x) noexcept {
  auto flags = x.clone_flags;
  for (const auto& join : x.joins)
    flags |= join.flag;
  return flags;
}

result<namespaces> compile_namespaces(const oci::linux_config& linux_,
                                      const host_facts& host, warnings& to) {
  namespaces out;
  for (const auto& row : namespace_rows)
    for (std::size_t i = 0; i != linux_.namespaces.size(); ++i) {
      const auto& wanted = linux_.namespaces[i];
      if (wanted.kind != row.kind)
        continue;
      const auto origin = at("/linux/namespaces", i);
      if (row.flag == CLONE_NEWTIME && !host.time_namespaces)
        return fail(fault::unsupported,
                    origin + ": this kernel has no time namespaces (5.6)");
      if (wanted.path.empty())
        out.clone_flags |= row.flag;
      else
        out.joins.push_back({row.flag, wanted.path, origin});
    }
  if ((out.clone_flags & CLONE_NEWUSER) != 0) {
    out.uid_map = id_maps(linux_.uid_mappings);
    out.gid_map = id_maps(linux_.gid_mappings);
  } else if (find_namespace(linux_, oci::namespace_kind::user) != nullptr) {
    warn_of_mappings(linux_, to);
  }
  out.unprivileged_maps = host.uid != 0;
  TROUPE_TRY(out.time_offsets, time_offsets(linux_.time_offsets));
  return out;
}

} // namespace troupe::plan
