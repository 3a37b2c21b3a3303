#pragma once

#include <cstdint>

// A test builds a shim of other versions.
#ifndef TROUPE_SHIM_PROTOCOL
#define TROUPE_SHIM_PROTOCOL 5
#endif
#ifndef TROUPE_SHIM_HANDOVER
#define TROUPE_SHIM_HANDOVER 1
#endif

namespace troupe::shim {

/// Of what supervisor and shim say to each other (messages.hpp). Both refuse a
/// peer of another version, but for `upgrade`.
inline constexpr std::uint32_t protocol_version = TROUPE_SHIM_PROTOCOL;

/// Of what one shim program hands the next over (handover.hpp). To be raised
/// with every change to a `hand_over`: a program takes over from one of the
/// same version, or not at all.
inline constexpr std::uint32_t handover_version = TROUPE_SHIM_HANDOVER;

} // namespace troupe::shim
