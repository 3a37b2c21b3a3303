#include "runtime/linux/poller.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace troupe::sys {

namespace {

/// The token of the wake-up descriptor; watches count from 1.
constexpr poller::token wake_token = 0;

/// Events fetched with one epoll_wait(2).
constexpr std::size_t batch_size = 64;

epoll_event event_for(poller::token which, std::uint32_t events) noexcept {
  epoll_event out{};
  out.events = events;
  out.data.u64 = which;
  return out;
}

} // namespace

result<std::unique_ptr<poller>> poller::create() {
  unique_fd epoll{::epoll_create1(EPOLL_CLOEXEC)};
  if (!epoll)
    return fail_os(errno, "epoll_create1", "");
  unique_fd wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!wake)
    return fail_os(errno, "eventfd", "");
  auto event = event_for(wake_token, EPOLLIN);
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0)
    return fail_os(errno, "epoll_ctl", "wake-up eventfd");
  return std::unique_ptr<poller>{new poller{std::move(epoll), std::move(wake)}};
}

poller::poller(unique_fd epoll, unique_fd wake)
  : epoll_(std::move(epoll)), wake_(std::move(wake)) {
}

result<poller::token> poller::watch(int fd, std::uint32_t events,
                                    callback ready) {
  const std::lock_guard lock{guard_};
  const auto which = ++last_;
  auto event = event_for(which, events | EPOLLONESHOT);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return fail_os(errno, "epoll_ctl add", "fd " + std::to_string(fd));
  // The serving thread cannot have looked the token up yet: we hold the lock.
  watches_.emplace(which,
                   entry{fd, std::make_shared<callback>(std::move(ready))});
  return which;
}

outcome poller::arm(token which, std::uint32_t events) {
  const std::lock_guard lock{guard_};
  const auto i = watches_.find(which);
  if (i == watches_.end())
    return fail(fault::not_found,
                "arm: watch " + std::to_string(which) + " has ended");
  auto event = event_for(which, events | EPOLLONESHOT);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, i->second.fd, &event) != 0)
    return fail_os(errno, "epoll_ctl mod",
                   "fd " + std::to_string(i->second.fd));
  return {};
}

void poller::forget(token which) {
  // Destroyed after the lock is released: a call-back may own what calls us.
  std::shared_ptr<callback> ended;
  const std::lock_guard lock{guard_};
  const auto i = watches_.find(which);
  if (i == watches_.end())
    return;
  ended = std::move(i->second.ready);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, i->second.fd, nullptr);
  watches_.erase(i);
}

void poller::run() {
  std::array<epoll_event, batch_size> events;
  // What was fetched together with the wake-up is served: one-shot watches
  // would not report it again.
  for (auto stopping = false; !stopping;) {
    const auto count = ::epoll_wait(epoll_.get(), events.data(), batch_size,
                                    -1);
    // Any other error is a defect of ours, and would spin: epoll_wait(2).
    if (count < 0 && errno != EINTR)
      std::abort();
    for (auto i = 0; i < count; ++i) {
      const auto which = events[i].data.u64;
      if (which == wake_token) {
        std::uint64_t stops = 0;
        [[maybe_unused]] const auto got = ::read(wake_.get(), &stops,
                                                 sizeof stops);
        stopping = true;
      } else if (const auto ready = callback_of(which))
        (*ready)(which, events[i].events);
    }
  }
}

void poller::stop() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto put = ::write(wake_.get(), &one, sizeof one);
}

std::shared_ptr<poller::callback> poller::callback_of(token which) {
  const std::lock_guard lock{guard_};
  const auto i = watches_.find(which);
  return i == watches_.end() ? nullptr : i->second.ready;
}

} // namespace troupe::sys
