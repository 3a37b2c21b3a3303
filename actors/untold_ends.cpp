#include "actors/untold_ends.hpp"

#include "runtime/linux/pidfd.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace troupe {

void untold_ends::add(std::string id, sys::unique_fd life) {
  const std::lock_guard lock{guard_};
  ends_.push_back({std::move(id), std::move(life)});
}

void untold_ends::write_down(const store::directory& to,
                             std::chrono::milliseconds patience) {
  using std::chrono::milliseconds;
  using clock = std::chrono::steady_clock;
  const auto over = clock::now() + patience;
  const std::lock_guard lock{guard_};
  for (const auto& each : std::exchange(ends_, {})) {
    const auto left = std::chrono::duration_cast<milliseconds>(over
                                                               - clock::now());
    const auto ended = sys::end_of(each.life.get(),
                                   std::max(left, milliseconds{0}));
    if (!ended)
      continue;
    if (auto noted = to.write_exit(each.id, ended->shell_code()); !noted)
      spdlog::error("container {}: {}", each.id, noted.error().what);
  }
}

} // namespace troupe
