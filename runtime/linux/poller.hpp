#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace troupe::sys {

/// Waits on any number of descriptors in one thread and calls back when they
/// are ready. Watches are one-shot (EPOLLONESHOT): after a call-back the
/// descriptor is silent until it is armed again. Tokens, not descriptors, name
/// watches, so that a stale event of a closed descriptor reaches nobody.
class poller {
public:
  using token = std::uint64_t;
  /// Gets its own token, because it may run before `watch` returns.
  using callback = std::function<void(token, std::uint32_t events)>;

  static result<std::unique_ptr<poller>> create();

  /// Watches `fd` for `events` (EPOLLIN...). Any thread.
  [[nodiscard]] result<token> watch(int fd, std::uint32_t events,
                                    callback ready);

  /// Arms a watch again. Any thread.
  outcome arm(token which, std::uint32_t events);

  /// Ends a watch. To be called before closing the descriptor. Any thread.
  void forget(token which);

  /// Serves until `stop`. One thread only.
  void run();

  /// Makes `run` return. Any thread.
  void stop() noexcept;

private:
  struct entry {
    int fd = -1;
    std::shared_ptr<callback> ready;
  };

  poller(unique_fd epoll, unique_fd wake);

  std::shared_ptr<callback> callback_of(token which);

  unique_fd epoll_;
  unique_fd wake_;
  std::mutex guard_;
  token last_ = 0;
  std::unordered_map<token, entry> watches_;
};

} // namespace troupe::sys
