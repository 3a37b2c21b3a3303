#pragma once

#include "actors/messages.hpp"

#include <caf/timespan.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace troupe {

/// The deadlines that an actor sets itself. CAF 0.17 cannot cancel a delayed
/// message, so each carries the generation of its kind, and one of an older
/// generation is ignored. `Due` is an enumeration that ends with `count`.
template <class Pointer, class Due>
class deadlines {
public:
  explicit deadlines(Pointer self) : self_(self) {
  }

  /// Lets `which` fall due in `time`, beside the ones already set.
  void arm(Due which, caf::timespan time) {
    self_->delayed_send(self_, time, message(which));
  }

  /// What lets `which` fall due when it is sent to the actor.
  [[nodiscard]] msg::deadline message(Due which) const {
    return {static_cast<std::uint8_t>(which), generations_[index(which)]};
  }

  /// Forgets every `which` that was set.
  void disarm(Due which) {
    ++generations_[index(which)];
  }

  [[nodiscard]] bool current(const msg::deadline& x) const {
    return x.of < generations_.size() && x.generation == generations_[x.of];
  }

private:
  static constexpr std::size_t index(Due x) noexcept {
    return static_cast<std::size_t>(x);
  }

  Pointer self_;
  std::array<std::uint64_t, index(Due::count)> generations_{};
};

} // namespace troupe
