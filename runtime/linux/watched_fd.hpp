#pragma once

#include "runtime/linux/poller.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <cstdint>

namespace troupe::sys {

/// A descriptor and the watch on it, which end together and in the right order:
/// first the watch, then the descriptor. The poller must outlive it.
class watched_fd {
public:
  watched_fd() noexcept = default;

  /// Watches `fd` from now on, once; see poller::watch.
  [[nodiscard]] static result<watched_fd>
  watch(poller& by, unique_fd fd, std::uint32_t events, poller::callback ready);

  watched_fd(watched_fd&& other) noexcept;
  watched_fd& operator=(watched_fd&& other) noexcept;
  ~watched_fd();

  /// Watches for the next event. On something that was closed, nothing.
  outcome arm(std::uint32_t events);

  /// Ends the watch and closes.
  void close();

  [[nodiscard]] int get() const noexcept {
    return fd_.get();
  }

  explicit operator bool() const noexcept {
    return static_cast<bool>(fd_);
  }

  /// Reads away what made a notifying descriptor ready: an eventfd's counter,
  /// or a kernfs file, which is quiet again only after it was read from its
  /// start. The descriptor must be non-blocking. False when it can be read no
  /// more (a removed cgroup's), and would be ready for ever.
  bool drain() noexcept;

private:
  poller* by_ = nullptr;
  poller::token token_ = 0;
  unique_fd fd_;
};

} // namespace troupe::sys
