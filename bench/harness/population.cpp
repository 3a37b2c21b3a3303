#include "bench/harness/population.hpp"

#include "bench/harness/container_api.hpp"
#include "bench/harness/interrupt.hpp"
#include "bench/harness/parallel.hpp"

namespace troupe::bench {

namespace {

constexpr std::size_t connections = 4;

} // namespace

outcome population::resize(std::size_t count) {
  return count < ids_.size() ? shrink(count) : grow(count);
}

outcome population::grow(std::size_t count) {
  std::vector<std::string> fresh;
  while (ids_.size() + fresh.size() < count)
    fresh.push_back(fresh_id());
  // Known before they are made: what failed half-way is removed, too.
  ids_.insert(ids_.end(), fresh.begin(), fresh.end());
  return in_parallel(
    connections, fresh.size(),
    [&] { return std::make_unique<container_api>(socket_); },
    [&](container_api& api, std::size_t i) -> outcome {
      TROUPE_CHECK(check_interrupt());
      TROUPE_CHECK(api.create(fresh[i], bundle_));
      return api.start(fresh[i]);
    });
}

outcome population::shrink(std::size_t count) {
  const std::vector<std::string> gone{
    ids_.begin() + static_cast<std::ptrdiff_t>(count), ids_.end()};
  ids_.resize(count);
  return in_parallel(
    connections, gone.size(),
    [&] { return std::make_unique<container_api>(socket_); },
    [&](container_api& api, std::size_t i) { return api.remove(gone[i]); });
}

} // namespace troupe::bench
