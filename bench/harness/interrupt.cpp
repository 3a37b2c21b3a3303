#include "bench/harness/interrupt.hpp"

#include <cerrno>
#include <csignal>
#include <initializer_list>

namespace troupe::bench {

namespace {

volatile std::sig_atomic_t interrupted = 0;

void note(int signo) {
  interrupted = signo;
}

} // namespace

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  for (const auto signo : {SIGINT, SIGTERM, SIGHUP})
    ::sigaction(signo, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

outcome check_interrupt() {
  if (interrupted != 0)
    return fail(fault::timed_out, "interrupted");
  return {};
}

} // namespace troupe::bench
