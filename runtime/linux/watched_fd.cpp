#include "runtime/linux/watched_fd.hpp"

#include <array>
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace troupe::sys {

result<watched_fd> watched_fd::watch(poller& by, unique_fd fd,
                                     std::uint32_t events,
                                     poller::callback ready) {
  TROUPE_TRY(const auto token, by.watch(fd.get(), events, std::move(ready)));
  watched_fd out;
  out.by_ = &by;
  out.token_ = token;
  out.fd_ = std::move(fd);
  return out;
}

watched_fd::watched_fd(watched_fd&& other) noexcept
  : by_(std::exchange(other.by_, nullptr)),
    token_(other.token_),
    fd_(std::move(other.fd_)) {
}

watched_fd& watched_fd::operator=(watched_fd&& other) noexcept {
  if (this != &other) {
    close();
    by_ = std::exchange(other.by_, nullptr);
    token_ = other.token_;
    fd_ = std::move(other.fd_);
  }
  return *this;
}

watched_fd::~watched_fd() {
  close();
}

outcome watched_fd::arm(std::uint32_t events) {
  return by_ ? by_->arm(token_, events) : outcome{};
}

void watched_fd::close() {
  if (auto* by = std::exchange(by_, nullptr))
    by->forget(token_);
  fd_.reset();
}

bool watched_fd::drain() noexcept {
  std::array<char, 4096> buffer;
  // An eventfd has no position (ESPIPE) and needs none.
  ::lseek(fd_.get(), 0, SEEK_SET);
  return ::read(fd_.get(), buffer.data(), buffer.size()) > 0 || errno == EAGAIN;
}

} // namespace troupe::sys
