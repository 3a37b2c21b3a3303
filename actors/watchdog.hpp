#pragma once

#include "actors/interfaces.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {

/// HEARTBEAT: moves a counter every second, and hears of deaths.
using heartbeat_actor = protocol<
  // INTERNAL: the next beat.
  caf::reacts_to<msg::deadline>>::actor;

/// Watches the actors from outside of them: a thread that aborts the process
/// when they stand still, because a stuck daemon is worth less than a restarted
/// one (CAF's clock can deadlock, caf-0.17.md 7.1), and a descriptor that tells
/// a plain event loop which of them has ended.
class watchdog {
public:
  struct ward {
    std::string name;
    caf::strong_actor_ptr who;
  };

  struct death {
    std::string name;
    failure why; ///< fault::none: it ended as it should.
  };

  [[nodiscard]] static result<std::unique_ptr<watchdog>>
  start(caf::actor_system& system, std::vector<ward> wards);

  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  /// Stops watching. To be destroyed before the actor system.
  ~watchdog();

  /// Readable once a ward has ended.
  [[nodiscard]] int descriptor() const noexcept {
    return shared_->notice.get();
  }

  /// A number that grows every second, as long as the actors run.
  [[nodiscard]] std::uint64_t beats() const noexcept {
    return shared_->beats;
  }

  /// The ward that ended first.
  [[nodiscard]] std::optional<death> first_death() const;

  /// What thread and actor share.
  struct shared {
    std::atomic<std::uint64_t> beats{0};
    sys::unique_fd notice;
    std::mutex guard;
    std::condition_variable changed;
    bool stopping = false;
    std::optional<death> first;
  };

private:
  watchdog(caf::actor_system& system, std::vector<ward> wards,
           std::shared_ptr<shared> with);

  void watch();

  std::shared_ptr<shared> shared_;
  heartbeat_actor heart_;
  std::thread thread_;
};

} // namespace troupe
