#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>

namespace troupe::cluster {

/// Who may begin a handshake: so many at once, from one address fewer, and from
/// one address so often. A flood from one address costs the others nothing.
class admission {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct limits {
    std::size_t pending = 256;
    std::size_t pending_of_one = 16;
    double per_second = 20; ///< Of one address,
    double burst = 64;      ///< after a pause.
  };

  admission() : admission(limits{}) {
  }
  explicit admission(limits at_most) : most_(at_most) {
  }

  /// Whether `address` may begin another handshake now; if so, it is pending
  /// until `leave`.
  [[nodiscard]] bool enter(const std::string& address, time_point now);
  void leave(const std::string& address);

  /// How many addresses it remembers.
  [[nodiscard]] std::size_t known() const noexcept {
    return sources_.size();
  }

private:
  struct source {
    std::size_t pending = 0;
    double allowance = 0; ///< Handshakes it may begin at once.
    time_point seen;
  };

  void forget_the_quiet(time_point now);

  limits most_;
  std::size_t pending_ = 0;
  time_point swept_{};
  std::unordered_map<std::string, source> sources_;
};

} // namespace troupe::cluster
