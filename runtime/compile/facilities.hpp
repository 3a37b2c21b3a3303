#pragma once

#include "config/base/result.hpp"
#include "config/oci/spec.hpp"
#include "runtime/plan/host_facts.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The parts of compile(), one function per kernel facility, each pure and
/// each in the source file of its name.
namespace troupe::plan {

/// Where complaints go that the spec wants as warnings.
using warnings = std::vector<std::string>;

// -- unsupported.cpp ----------------------------------------------------------

/// Refuses what is asked for and cannot be honoured by this build or host.
[[nodiscard]] outcome refuse_unsupported(const oci::spec& spec,
                                         const host_facts& host);

/// The same for a process alone; `pointer` is its place.
[[nodiscard]] outcome refuse_unsupported(const oci::process& process,
                                         std::string_view pointer,
                                         const host_facts& host);

// -- namespaces.cpp -----------------------------------------------------------

[[nodiscard]] result<namespaces>
compile_namespaces(const oci::linux_config& linux_, const host_facts& host,
                   warnings& to);

/// The entry for `kind`, or null: the host's namespace is kept.
[[nodiscard]] const oci::namespace_entry*
find_namespace(const oci::linux_config& in, oci::namespace_kind kind) noexcept;

[[nodiscard]] std::vector<id_map>
id_maps(const std::vector<oci::id_mapping>& mappings);

/// Every CLONE_NEW* that is created or joined.
[[nodiscard]] std::uint64_t own_namespaces(const namespaces& x) noexcept;

// -- surroundings.cpp ---------------------------------------------------------

/// Refuses what the user namespace, new or joined, or an ordinary user's own
/// rights cannot give. All of it would fail later, with an errno that says
/// less.
[[nodiscard]] outcome refuse_unprivileged(const oci::spec& spec,
                                          const host_facts& host);

[[nodiscard]] std::vector<net_device>
compile_net_devices(const oci::linux_config& in);

/// Without `intelRdt`: nothing. `id` is the container's.
[[nodiscard]] result<intel_rdt> compile_intel_rdt(const oci::linux_config& in,
                                                  const host_facts& host,
                                                  const std::string& id);

// -- rootfs.cpp, mounts.cpp, devices.cpp --------------------------------------

/// A path of the host: itself if absolute, else below `bundle`. Tidied up,
/// unless it has `..`: behind a symlink that means what the kernel says.
[[nodiscard]] std::string on_host(const std::string& path,
                                  const std::string& bundle);

/// A path inside the container, without `.`, `..` and doubled slashes, so that
/// equal places are equal texts.
[[nodiscard]] std::string in_container(const std::string& path);

[[nodiscard]] result<rootfs> compile_rootfs(const oci::spec& spec,
                                            const std::string& bundle,
                                            const host_facts& host,
                                            std::uint64_t own_namespaces,
                                            warnings& to);

/// The spec's mounts in their order; a default /dev is put first if none of
/// them is mounted there.
[[nodiscard]] result<std::vector<mount>>
compile_mounts(const oci::spec& spec, const std::string& bundle, warnings& to);

/// True if what ends up on /dev is a fresh tmpfs.
[[nodiscard]] bool has_own_dev(const std::vector<mount>& mounts);

/// The default devices and those of the spec; without an own /dev only those
/// of the spec that lie elsewhere.
[[nodiscard]] result<std::vector<device>>
compile_devices(const std::vector<oci::device>& devices, bool own_dev);

/// The symlinks of a fresh /dev, except where `devices` has a node instead.
[[nodiscard]] std::vector<symlink>
dev_symlinks(const std::vector<device>& devices, const host_facts& host);

// -- shown_cgroups.cpp --------------------------------------------------------

/// Where the container gets no cgroup of its own, its cgroup mounts become
/// ordinary ones, of the hierarchies that the host has. `new_namespaces`:
/// CLONE_NEW*.
[[nodiscard]] std::vector<mount> show_cgroups(std::vector<mount> mounts,
                                              const host_facts& host,
                                              std::uint64_t new_namespaces);

// -- process.cpp, attributes.cpp, capabilities.cpp, hooks.cpp -----------------

/// All of a process but its seccomp filter. `granted` are the capabilities
/// that the process can be given at all, `pointer` is its place.
[[nodiscard]] result<process> compile_process(const oci::process& process,
                                              std::string_view pointer,
                                              std::uint64_t granted,
                                              warnings& to);

/// Scheduler, I/O priority, labels and, for an exec session, CPUs of a process.
/// Validated words only; what this host lacks is refused.
[[nodiscard]] result<process_attributes>
compile_attributes(const oci::process& process, std::string_view pointer,
                   bool is_session, const host_facts& host);

/// Adds what a container's processes have in common: personality and memory
/// policy. `id` names the session keyring.
[[nodiscard]] outcome add_attributes(const oci::linux_config& from,
                                     const std::string& id,
                                     process_attributes& to);

/// The capabilities that a process in `own_namespaces` can be given: our own
/// permitted ones, or all of the kernel's in a user namespace of its own, which
/// starts with a full set (user_namespaces(7)).
[[nodiscard]] std::uint64_t
grantable_capabilities(const host_facts& host,
                       std::uint64_t own_namespaces) noexcept;

[[nodiscard]] capability_sets
compile_capabilities(const oci::capabilities& sets, std::string_view pointer,
                     std::uint64_t granted, warnings& to);

[[nodiscard]] hooks compile_hooks(const oci::hooks& hooks);

} // namespace troupe::plan
