#pragma once

#include "config/base/result.hpp"
#include "config/oci/spec.hpp"

#include <cstdint>
#include <optional>
#include <seccomp.h>
#include <string>
#include <vector>

/// The words of a seccomp profile as libseccomp's and the kernel's numbers.
/// Source: runtime-spec config-linux.md, "Seccomp"; seccomp(2). Failures start
/// with the given JSON pointers.
namespace troupe::plan {

/// `SCMP_ACT_*` with its errno: EPERM unless given, as the spec says.
[[nodiscard]] result<std::uint32_t>
action_of(const std::string& word,
          const std::optional<std::uint32_t>& errno_ret,
          const std::string& pointer, const std::string& errno_pointer);

/// `SCMP_ARCH_*` as libseccomp's token.
[[nodiscard]] result<std::uint32_t> architecture_of(const std::string& word,
                                                    const std::string& pointer);

/// The conditions of one rule.
[[nodiscard]] result<std::vector<scmp_arg_cmp>>
conditions_of(const std::vector<oci::seccomp_arg>& args,
              const std::string& pointer);

/// `SECCOMP_FILTER_FLAG_*` or'ed together, for a filter that `notifies` or not.
[[nodiscard]] result<std::uint32_t>
flags_of(const std::vector<std::string>& words, bool notifies,
         const std::string& pointer);

} // namespace troupe::plan
