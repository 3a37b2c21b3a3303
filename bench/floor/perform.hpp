#pragma once

#include "bench/floor/recipe.hpp"

#include <cstdint>

namespace troupe::floor {

/// When things happened, CLOCK_MONOTONIC in ns.
struct times {
  std::int64_t began = 0;
  std::int64_t started = 0; ///< execve has succeeded.
  std::int64_t exited = 0;  ///< Reaped.
  std::int64_t removed = 0; ///< Its cgroups are gone.
  int exit_code = 0;
};

[[nodiscard]] std::int64_t now_ns() noexcept;

/// What is timed: one start to its end. Makes `with`'s calls and no decision.
[[nodiscard]] result<times> perform(const recipe& with);

} // namespace troupe::floor
