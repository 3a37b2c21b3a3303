#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

/// The shim's epoll loop, epoll(7), level-triggered. One thread, so everything
/// in runtime/shim runs inside a callback of this.
namespace troupe::shim {

class watch;

class loop {
public:
  using callback = std::function<void(std::uint32_t events)>;
  using clock = std::chrono::steady_clock;

  [[nodiscard]] static result<loop> create();

  /// Calls `ready` when `fd` is; it is watched until the result is destroyed,
  /// which must be before `fd` is closed.
  [[nodiscard]] result<watch> add(int fd, std::uint32_t events, callback ready);

  /// Runs `work` after the callbacks of this round, so that a callback can
  /// have its own object destroyed.
  void later(std::function<void()> work);

  /// Runs `work` once, after `delay`.
  void after(std::chrono::milliseconds delay, std::function<void()> work);

  /// Until `stop`.
  [[nodiscard]] outcome run();

  void stop() noexcept {
    stopped_ = true;
  }

  /// One buffer for every read, used between two callbacks only.
  [[nodiscard]] std::span<char> scratch() noexcept {
    return scratch_;
  }

private:
  friend class watch;

  struct timer {
    clock::time_point due;
    std::function<void()> work;
  };

  loop() = default;
  [[nodiscard]] int timeout_ms() const;
  void run_timers();
  void run_later();
  void forget(std::uint64_t token) noexcept;

  sys::unique_fd epoll_;
  std::uint64_t last_token_ = 0;
  /// Tokens are never reused: an event that was fetched before its watch went
  /// away finds nobody here, whatever its fd number stands for now.
  std::unordered_map<std::uint64_t, callback> callbacks_;
  /// A callback that removed itself while it ran lives on until it returns.
  std::vector<callback> removed_;
  std::vector<std::function<void()>> later_;
  std::vector<timer> timers_;
  std::vector<char> scratch_;
  bool stopped_ = false;
};

/// A descriptor's registration in a loop. Stays valid when moved.
class watch {
public:
  watch() noexcept = default;
  watch(loop& in, int fd, std::uint64_t token, std::uint32_t events) noexcept;
  watch(watch&& other) noexcept;
  watch& operator=(watch&& other) noexcept;
  ~watch();

  /// Waits for `events` from now on; hang-ups and errors are always reported.
  void want(std::uint32_t events) noexcept;

  /// Reports nothing, not even a hang-up, until `want`.
  void pause() noexcept;

  /// Ends the registration.
  void reset() noexcept;

private:
  loop* loop_ = nullptr;
  int fd_ = -1;
  std::uint64_t token_ = 0;
  std::uint32_t events_ = 0;
  bool paused_ = false;
};

} // namespace troupe::shim
