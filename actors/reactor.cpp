#include "actors/reactor.hpp"

#include <caf/send.hpp>

#include <csignal>
#include <pthread.h>
#include <utility>

namespace troupe {

result<std::unique_ptr<reactor>> reactor::start() {
  TROUPE_TRY(auto poller, sys::poller::create());
  TROUPE_TRY(auto file_watches, sys::file_watches::start(*poller));
  return std::unique_ptr<reactor>{
    new reactor{std::move(poller), std::move(file_watches)}};
}

reactor::reactor(std::unique_ptr<sys::poller> poller,
                 std::unique_ptr<sys::file_watches> file_watches)
  : poller_(std::move(poller)), file_watches_(std::move(file_watches)) {
  // A thread inherits its mask: blocked here, no signal ever reaches it.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread{[waits_on = poller_.get()] {
    pthread_setname_np(pthread_self(), "troupe.reactor");
    waits_on->run();
  }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

reactor::~reactor() {
  poller_->stop();
  thread_.join();
}

sys::poller::callback notify(fd_owner_actor owner) {
  return
    [owner = std::move(owner)](sys::poller::token token, std::uint32_t events) {
      caf::anon_send(owner, msg::fd_ready{token, events});
    };
}

} // namespace troupe
