#pragma once

#include "config/base/result.hpp"

#include <cstdint>

/// The five capability sets of this process, as masks: bit n is capability
/// number n. Source: capabilities(7), capset(2), prctl(2).
namespace troupe::sys {

/// Whether this process has `capability` (CAP_*) in its effective set.
[[nodiscard]] bool has_effective(unsigned capability) noexcept;

/// Whether a change of uid keeps the permitted set (PR_SET_KEEPCAPS).
[[nodiscard]] outcome keep_capabilities(bool keep);

/// Drops every capability outside `keep` from the bounding set.
[[nodiscard]] outcome limit_bounding(std::uint64_t keep);

/// Makes everything that is permitted effective, which a change of uid has
/// ended, and sets the inheritable set: adding to it needs CAP_SETPCAP.
[[nodiscard]] outcome set_inheritable(std::uint64_t inheritable);

/// Makes so much of the permitted set effective.
[[nodiscard]] outcome set_effective(std::uint64_t effective);

/// Sets three sets at once, in one system call: no set may gain by it.
[[nodiscard]] outcome drop_capabilities(std::uint64_t effective,
                                        std::uint64_t permitted,
                                        std::uint64_t inheritable);

/// Sets the ambient set (Linux 4.3); each bit has to be in the permitted and in
/// the inheritable set.
[[nodiscard]] outcome set_ambient(std::uint64_t ambient);

} // namespace troupe::sys
