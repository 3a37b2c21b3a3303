#include "runtime/shim/followed_child.hpp"

#include "runtime/linux/pidfd.hpp"
#include "runtime/shim/endings.hpp"

#include <csignal>
#include <sys/epoll.h>
#include <utility>

namespace troupe::shim {

followed_child::followed_child(const surroundings& in, listener tell)
  : in_(in), tell_(std::move(tell)) {
}

followed_child::~followed_child() {
  in_.children.remove(child_.pid);
}

outcome followed_child::run(const std::function<int(int)>& body) {
  TROUPE_TRY(child_, fork_child(in_.self, body));
  return resume();
}

outcome followed_child::resume() {
  in_.children.add(child_.pid, *this);
  TROUPE_TRY(line_ready_, in_.loop.add(child_.line.get(), EPOLLIN,
                                       [this](std::uint32_t) { read(); }));
  TROUPE_TRY(exited_, in_.loop.add(child_.pidfd.get(), EPOLLIN,
                                   [this](std::uint32_t) { look(); }));
  return {};
}

void followed_child::kill() const noexcept {
  if (child_.pidfd)
    (void)sys::send_signal(child_.pidfd.get(), SIGKILL);
}

void followed_child::read() {
  if (!tell_.read(child_.line.get()))
    line_ready_.pause();
}

void followed_child::look() {
  if (!child_.pidfd)
    return;
  read();
  const auto ended = sys::reap(child_.pidfd.get());
  if (ended && !*ended)
    return;
  line_ready_.reset();
  exited_.reset();
  in_.children.remove(child_.pid);
  child_ = {};
  tell_.ended(ended ? describe(**ended) : ended.error().what);
}

} // namespace troupe::shim
