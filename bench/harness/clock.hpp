#pragma once

#include <cstdint>
#include <ctime>

namespace troupe::bench {

/// CLOCK_MONOTONIC in ns: the one clock of every figure.
[[nodiscard]] inline std::int64_t now_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

[[nodiscard]] inline double ms_between(std::int64_t from,
                                       std::int64_t to) noexcept {
  return static_cast<double>(to - from) / 1e6;
}

[[nodiscard]] inline double ms_since(std::int64_t from) noexcept {
  return ms_between(from, now_ns());
}

} // namespace troupe::bench
