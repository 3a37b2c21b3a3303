#pragma once

#include "actors/interfaces.hpp"
#include "runtime/linux/file_watches.hpp"
#include "runtime/linux/poller.hpp"

#include <memory>
#include <thread>

namespace troupe {

/// REACTOR: the one thread that waits on descriptors. Not an actor itself:
/// what it waits on becomes `fd_ready` messages to their owners.
class reactor {
public:
  static result<std::unique_ptr<reactor>> start();

  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;
  ~reactor(); ///< Stops and joins.

  [[nodiscard]] sys::poller& poller() noexcept {
    return *poller_;
  }

  [[nodiscard]] sys::file_watches& file_watches() noexcept {
    return *file_watches_;
  }

private:
  reactor(std::unique_ptr<sys::poller> poller,
          std::unique_ptr<sys::file_watches> file_watches);

  std::unique_ptr<sys::poller> poller_;
  std::unique_ptr<sys::file_watches> file_watches_;
  std::thread thread_;
};

/// A call-back that sends `fd_ready` to `owner`.
[[nodiscard]] sys::poller::callback notify(fd_owner_actor owner);

} // namespace troupe
