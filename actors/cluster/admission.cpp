#include "actors/cluster/admission.hpp"

#include <algorithm>

namespace troupe::cluster {

namespace {

/// A flood with many addresses must not fill the memory.
constexpr std::size_t most_sources = 4096;
/// Nor must it have us look through all of it each time.
constexpr auto sweep_pause = std::chrono::milliseconds{100};

} // namespace

bool admission::enter(const std::string& address, time_point now) {
  if (pending_ >= most_.pending)
    return false;
  if (sources_.size() >= most_sources && !sources_.contains(address)) {
    forget_the_quiet(now);
    if (sources_.size() >= most_sources)
      return false;
  }
  const auto [at, is_new] = sources_.try_emplace(address);
  auto& from = at->second;
  const auto passed = std::chrono::duration<double>(now - from.seen).count();
  from.allowance = is_new
                     ? most_.burst
                     : std::min(most_.burst,
                                from.allowance + passed * most_.per_second);
  from.seen = now;
  if (from.allowance < 1 || from.pending >= most_.pending_of_one)
    return false;
  from.allowance -= 1;
  ++from.pending;
  ++pending_;
  return true;
}

void admission::leave(const std::string& address) {
  const auto at = sources_.find(address);
  if (at == sources_.end() || at->second.pending == 0)
    return;
  --at->second.pending;
  --pending_;
}

/// Those whose allowance is whole again by now are as good as new.
void admission::forget_the_quiet(time_point now) {
  if (now - swept_ < sweep_pause)
    return;
  swept_ = now;
  const auto whole_after = std::chrono::duration<double>(most_.burst
                                                         / most_.per_second);
  std::erase_if(sources_, [&](const auto& each) {
    return each.second.pending == 0 && now - each.second.seen > whole_after;
  });
}

} // namespace troupe::cluster
