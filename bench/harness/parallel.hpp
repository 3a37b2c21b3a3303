#pragma once

#include "config/base/result.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe::bench {

/// Calls `one(own, i)` for each i below `count` from `threads` threads, each
/// with an `own` of its own from `make`. The first failure ends it.
template <class Make, class One>
[[nodiscard]] outcome in_parallel(std::size_t threads, std::size_t count,
                                  const Make& make, const One& one) {
  std::atomic<std::size_t> next{0};
  std::mutex guard;
  outcome out;
  const auto work = [&] {
    const auto own = make();
    for (auto i = next++; i < count; i = next++)
      if (auto done = one(*own, i); !done) {
        next = count;
        const std::lock_guard lock{guard};
        out = fail(done.error());
      }
  };
  std::vector<std::thread> all;
  for (auto i = std::size_t{0}; i < threads; ++i)
    all.emplace_back(work);
  for (auto& each : all)
    each.join();
  return out;
}

} // namespace troupe::bench
