#include "actors/cluster/placement.hpp"

#include "config/base/quote.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

namespace troupe::cluster {

using msg::node_view;

namespace {

/// Without a wish, a tenth of a node's memory stays free.
constexpr std::int64_t spare_share = 10;

std::string mib(std::int64_t bytes) {
  return std::to_string(bytes / (1 << 20)) + " MiB";
}

std::optional<std::string> label_of(const msg::member& x,
                                    const std::string& key) {
  const auto at = std::ranges::find(x.label_keys, key);
  if (at == x.label_keys.end())
    return std::nullopt;
  return x.label_values.at(static_cast<std::size_t>(at - x.label_keys.begin()));
}

/// Why not; nothing: it could be.
std::optional<std::string> objection(const node_view& x,
                                     const msg::place& wish) {
  if (x.state != msg::node_state::alive)
    return "it is not alive";
  if (x.has.memory_total == 0) // A program of its own: docs/library.md.
    return "it has no supervisor";
  if (x.is.draining)
    return "it is being drained";
  for (std::size_t i = 0; i < wish.label_keys.size(); ++i) {
    const auto& key = wish.label_keys[i];
    const auto found = label_of(x.is, key);
    if (found != wish.label_values.at(i))
      return "its label " + key + " is "
             + (found ? quote(*found) : std::string{"not set"});
  }
  const auto wanted = std::max(wish.memory, x.has.memory_total / spare_share);
  if (x.has.memory_available < wanted)
    return mib(x.has.memory_available) + " of its memory are free, wanted "
           + mib(wanted);
  return std::nullopt;
}

/// The least is the one for `spread`.
auto fullness(const node_view& x) {
  const auto busy = x.has.cpus == 0 ? 0 : x.has.busy_permille;
  return std::tuple{x.has.running, -x.has.memory_available, busy};
}

std::string reasons(const node_view& chosen, const msg::place& wish,
                    std::size_t candidates, std::size_t all) {
  return wish.strategy + ": " + std::to_string(chosen.has.running)
         + " running, " + mib(chosen.has.memory_available) + " of "
         + mib(chosen.has.memory_total) + " free, CPUs busy "
         + std::to_string(chosen.has.busy_permille / 10) + " %; "
         + std::to_string(candidates) + " of " + std::to_string(all)
         + " nodes fit";
}

} // namespace

result<msg::placed> place(const std::vector<node_view>& among,
                          const msg::place& wish) {
  std::vector<const node_view*> candidates;
  std::string why;
  for (const auto& each : among) {
    if (const auto against = objection(each, wish))
      why += (why.empty() ? "" : "; ") + each.is.name + ": " + *against;
    else
      candidates.push_back(&each);
  }
  if (candidates.empty())
    return fail(fault::exhausted, "no node for it: " + why);
  const auto emptier = [](const auto* a, const auto* b) {
    return fullness(*a) < fullness(*b);
  };
  const auto* chosen = wish.strategy == "binpack"
                         ? *std::ranges::max_element(candidates, emptier)
                         : *std::ranges::min_element(candidates, emptier);
  return msg::placed{chosen->is.name,
                     reasons(*chosen, wish, candidates.size(), among.size())};
}

} // namespace troupe::cluster
