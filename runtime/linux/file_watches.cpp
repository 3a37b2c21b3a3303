#include "runtime/linux/file_watches.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <utility>

namespace troupe::sys {

result<std::unique_ptr<file_watches>> file_watches::start(poller& by) {
  unique_fd fd{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  if (!fd)
    return fail_os(errno, "inotify_init1", "");
  std::unique_ptr<file_watches> out{new file_watches};
  TROUPE_TRY(out->inotify_,
             watched_fd::watch(by, std::move(fd), EPOLLIN,
                               [all = out.get()](poller::token, std::uint32_t) {
                                 all->serve();
                               }));
  return out;
}

result<file_watches::watch> file_watches::add(const std::string& path,
                                              callback changed) {
  const std::lock_guard lock{guard_};
  const auto descriptor = ::inotify_add_watch(inotify_.get(), path.c_str(),
                                              IN_MODIFY);
  if (descriptor < 0)
    return fail_os(errno, "inotify_add_watch", path);
  const auto token = ++last_;
  watches_[descriptor].emplace(token, std::move(changed));
  return watch{this, descriptor, token};
}

void file_watches::serve() {
  alignas(inotify_event) std::array<char, 16384> buffer;
  std::set<int> changed;
  for (;;) {
    const auto got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got <= 0)
      break;
    for (auto at = std::size_t{0}; at < static_cast<std::size_t>(got);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      at += sizeof event + event.len;
      if ((event.mask & (IN_MODIFY | IN_Q_OVERFLOW)) != 0)
        changed.insert(event.wd);
    }
  }
  const std::lock_guard lock{guard_};
  if (changed.contains(-1)) // IN_Q_OVERFLOW: any may have changed
    for (const auto& [descriptor, all] : watches_)
      changed.insert(descriptor);
  for (const auto descriptor : changed)
    call_back(descriptor);
  static_cast<void>(inotify_.arm(EPOLLIN));
}

void file_watches::call_back(int descriptor) {
  if (const auto found = watches_.find(descriptor); found != watches_.end())
    for (const auto& [token, changed] : found->second)
      changed();
}

/// Of a file that is gone the kernel has ended its watch already (IN_IGNORED).
void file_watches::forget(int descriptor, std::uint64_t token) noexcept {
  const std::lock_guard lock{guard_};
  const auto found = watches_.find(descriptor);
  found->second.erase(token);
  if (!found->second.empty())
    return;
  watches_.erase(found);
  ::inotify_rm_watch(inotify_.get(), descriptor);
}

file_watches::watch::watch(watch&& other) noexcept
  : of_(std::exchange(other.of_, nullptr)),
    descriptor_(other.descriptor_),
    token_(other.token_) {
}

file_watches::watch& file_watches::watch::operator=(watch&& other) noexcept {
  std::swap(of_, other.of_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(token_, other.token_);
  return *this;
}

file_watches::watch::~watch() {
  if (of_)
    of_->forget(descriptor_, token_);
}

} // namespace troupe::sys
