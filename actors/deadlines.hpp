#pragma once

#include "actors/messages.hpp"

#include <caf/timespan.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace troupe {

/// The deadlines that an actor sets itself. CAF 0.17 cannot cancel a delayed
/// message, so each carries the generation of its kind, and one of an older
/// generation is ignored. Such a message keeps its actor in memory, ended or
/// not: so a long time is waited for in steps. `Due` is an enumeration that
/// ends with `count`.
template <class Pointer, class Due>
class deadlines {
public:
  explicit deadlines(Pointer self) : self_(self) {
  }

  /// Lets `which` fall due in `time`, beside the ones already set.
  void arm(Due which, caf::timespan time) {
    auto x = message(which);
    x.at = since_boot() + time;
    wait(x);
  }

  /// What lets `which` fall due when it is sent to the actor.
  [[nodiscard]] msg::deadline message(Due which) const {
    return {static_cast<std::uint8_t>(which), generations_[index(which)], {}};
  }

  /// Forgets every `which` that was set.
  void disarm(Due which) {
    ++generations_[index(which)];
  }

  /// Whether `x` is due: it is not if it was disarmed, or has a step to go.
  [[nodiscard]] bool reached(const msg::deadline& x) {
    if (x.of >= generations_.size() || x.generation != generations_[x.of])
      return false;
    const auto over = x.at <= since_boot();
    if (!over)
      wait(x);
    return over;
  }

private:
  static constexpr auto longest_step = caf::timespan{std::chrono::seconds{5}};

  static constexpr std::size_t index(Due x) noexcept {
    return static_cast<std::size_t>(x);
  }

  /// By the actor system's clock, which tests set.
  [[nodiscard]] caf::timespan since_boot() const {
    return self_->clock().now().time_since_epoch();
  }

  void wait(const msg::deadline& x) {
    self_->delayed_send(self_, std::min(x.at - since_boot(), longest_step), x);
  }

  Pointer self_;
  std::array<std::uint64_t, index(Due::count)> generations_{};
};

} // namespace troupe
