#pragma once

#include "actors/cluster/messages.hpp"
#include "config/base/result.hpp"

#include <string>
#include <vector>

namespace troupe::cluster {

/// Chooses the node of a new container among those that live and are not being
/// drained, have the labels that are asked for, and memory to spare. `spread`:
/// where the fewest run, and of those where the most memory is free. `binpack`:
/// the other way round. A failure says of each node why it is not the one.
[[nodiscard]] result<msg::placed>
place(const std::vector<msg::node_view>& among, const msg::place& wish);

} // namespace troupe::cluster
