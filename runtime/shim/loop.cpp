#include "runtime/shim/loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <utility>

namespace troupe::shim {

namespace {

/// A pipe's default capacity, pipe(7): one read empties it.
constexpr std::size_t scratch_size = 64U << 10U;

} // namespace

result<loop> loop::create() {
  loop out;
  out.epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!out.epoll_)
    return fail_os(errno, "epoll_create1", "");
  out.scratch_.resize(scratch_size);
  return out;
}

result<watch> loop::add(int fd, std::uint32_t events, callback ready) {
  const auto token = ++last_token_;
  epoll_event event{.events = events, .data = {.u64 = token}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return fail_os(errno, "epoll_ctl", "fd " + std::to_string(fd));
  callbacks_.emplace(token, std::move(ready));
  return watch{*this, fd, token, events};
}

void loop::later(std::function<void()> work) {
  later_.push_back(std::move(work));
}

void loop::after(std::chrono::milliseconds delay, std::function<void()> work) {
  timers_.push_back({clock::now() + delay, std::move(work)});
}

outcome loop::run() {
  std::array<epoll_event, 64> events;
  stopped_ = false;
  while (!stopped_) {
    const auto n = ::epoll_wait(epoll_.get(), events.data(),
                                static_cast<int>(events.size()), timeout_ms());
    if (n < 0 && errno != EINTR)
      return fail_os(errno, "epoll_wait", "");
    for (auto i = 0; i < n; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (const auto found = callbacks_.find(event.data.u64);
          found != callbacks_.end())
        found->second(event.events);
      removed_.clear();
    }
    run_timers();
    run_later();
  }
  return {};
}

int loop::timeout_ms() const {
  if (timers_.empty())
    return -1;
  const auto next = std::min_element(
    timers_.begin(), timers_.end(),
    [](const timer& a, const timer& b) { return a.due < b.due; });
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
    next->due - clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

void loop::run_timers() {
  if (timers_.empty())
    return;
  const auto now = clock::now();
  const auto due = std::partition(timers_.begin(), timers_.end(),
                                  [&](const timer& x) { return x.due > now; });
  std::vector<timer> ready{std::make_move_iterator(due),
                           std::make_move_iterator(timers_.end())};
  timers_.erase(due, timers_.end());
  for (const auto& each : ready)
    each.work();
}

void loop::run_later() {
  while (!later_.empty())
    for (const auto& work : std::exchange(later_, {}))
      work();
  removed_.clear();
}

void loop::forget(std::uint64_t token) noexcept {
  if (const auto found = callbacks_.find(token); found != callbacks_.end()) {
    removed_.push_back(std::move(found->second));
    callbacks_.erase(found);
  }
}

watch::watch(loop& in, int fd, std::uint64_t token,
             std::uint32_t events) noexcept
  : loop_(&in), fd_(fd), token_(token), events_(events) {
}

watch::watch(watch&& other) noexcept
  : loop_(std::exchange(other.loop_, nullptr)),
    fd_(other.fd_),
    token_(other.token_),
    events_(other.events_),
    paused_(other.paused_) {
}

watch& watch::operator=(watch&& other) noexcept {
  if (this == &other)
    return *this;
  reset();
  loop_ = std::exchange(other.loop_, nullptr);
  fd_ = other.fd_;
  token_ = other.token_;
  events_ = other.events_;
  paused_ = other.paused_;
  return *this;
}

watch::~watch() {
  reset();
}

void watch::want(std::uint32_t events) noexcept {
  if (!loop_ || (!paused_ && events == events_))
    return;
  const auto op = paused_ ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  epoll_event event{.events = events, .data = {.u64 = token_}};
  if (::epoll_ctl(loop_->epoll_.get(), op, fd_, &event) == 0) {
    events_ = events;
    paused_ = false;
  }
}

void watch::pause() noexcept {
  if (!loop_ || paused_)
    return;
  ::epoll_ctl(loop_->epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
  paused_ = true;
}

void watch::reset() noexcept {
  if (!loop_)
    return;
  pause();
  std::exchange(loop_, nullptr)->forget(token_);
}

} // namespace troupe::shim
