#pragma once

#include "config/base/result.hpp"

#include <cstdint>

/// The five capability sets of this process, as masks: bit n is capability
/// number n. Source: capabilities(7), capset(2), prctl(2).
namespace troupe::sys {

/// Whether a change of uid keeps the permitted set (PR_SET_KEEPCAPS).
[[nodiscard]] outcome keep_capabilities(bool keep);

/// Drops every capability outside `keep` from the bounding set.
[[nodiscard]] outcome limit_bounding(std::uint64_t keep);

/// Sets the effective, permitted and inheritable sets. The effective set is
/// raised to the whole permitted one in between: after a change of uid it is
/// empty, and CAP_SETPCAP is needed to add to the inheritable set.
[[nodiscard]] outcome set_capabilities(std::uint64_t effective,
                                       std::uint64_t permitted,
                                       std::uint64_t inheritable);

/// Sets the ambient set (Linux 4.3); each bit has to be in the permitted and in
/// the inheritable set.
[[nodiscard]] outcome set_ambient(std::uint64_t ambient);

} // namespace troupe::sys
