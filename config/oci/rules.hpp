#pragma once

#include "config/base/result.hpp"
#include "config/json/checks.hpp"
#include "config/oci/spec.hpp"

#include <span>
#include <string_view>
#include <vector>

/// What validate() is made of: a few questions that many rules ask, and the
/// rules for each part of a spec, one file per part.
namespace troupe::oci::rules {

using json::pointer;

// -- questions ----------------------------------------------------------------

using json::check_absolute;
using json::check_range;
using json::check_word;
using json::refuse;

/// Each of `values` must be one of `allowed`.
[[nodiscard]] outcome check_words(const pointer& at,
                                  const std::vector<std::string>& values,
                                  std::span<const std::string_view> allowed);

/// `NAME=value`; a refusal shows no value.
[[nodiscard]] outcome check_environment(const pointer& at,
                                        const std::vector<std::string>& env);

/// `0-3,7` or, with a stride, `0-31:2/4`: kernel's cpuset list format.
[[nodiscard]] outcome check_cpu_list(const pointer& at, std::string_view list);

/// Sizes, overflow, overlaps and the kernel's count, user_namespaces(7).
[[nodiscard]] outcome check_mappings(const pointer& at,
                                     const std::vector<id_mapping>& mappings);

/// The entry for `kind`, or null: the host's namespace is kept.
[[nodiscard]] const namespace_entry* find(const linux_config& in,
                                          namespace_kind kind);

/// The property at `at` needs an own namespace of that kind, new or joined.
[[nodiscard]] outcome check_has_namespace(const linux_config& in,
                                          namespace_kind kind,
                                          const pointer& at);

// -- parts --------------------------------------------------------------------

[[nodiscard]] outcome check_process(const process& x, const pointer& at);
[[nodiscard]] outcome check_mounts(const spec& x);
[[nodiscard]] outcome check_linux(const linux_config& x);
[[nodiscard]] outcome check_devices(const linux_config& x, const pointer& at);
[[nodiscard]] outcome check_sysctls(const linux_config& x, const pointer& at);
[[nodiscard]] outcome check_resources(const resources& x, const pointer& at);
[[nodiscard]] outcome check_seccomp(const seccomp& x, const pointer& at);

} // namespace troupe::oci::rules
