#include "bench/harness/clock.hpp"
#include "bench/harness/footprint.hpp"
#include "bench/harness/interrupt.hpp"
#include "bench/scenarios/scenarios.hpp"

#include <poll.h>

namespace troupe::bench {

namespace {

const metric cpu{"CPU", "% of a core"};
const metric wakeups{"wake-ups", "/s"};

/// Doing nothing is what is measured here; only an interrupt ends it early.
outcome pass_time(int seconds) {
  for (auto i = 0; i < seconds; ++i) {
    TROUPE_CHECK(check_interrupt());
    ::poll(nullptr, 0, 1000);
  }
  return {};
}

} // namespace

outcome measure_idle(session& in) {
  const auto count = static_cast<std::size_t>(in.rounds(1000, 50));
  TROUPE_CHECK(in.in.idle->resize(count));
  struct watched {
    const char* who;
    pid_t pid;
    usage before{};
  };
  std::vector<watched> all{{"trouped", in.in.trouped->pid()},
                           {"troupe-shim", in.in.trouped->shim_pid()}};
  // The starts' deadlines, a minute each, cannot be cancelled in CAF 0.17.
  TROUPE_CHECK(pass_time(in.rounds(75, 1)));
  for (auto& each : all) {
    TROUPE_TRY(each.before, usage_of(each.pid));
  }
  const auto began = now_ns();
  TROUPE_CHECK(pass_time(in.rounds(60, 3)));
  const auto seconds = ms_since(began) / 1e3;
  for (const auto& each : all) {
    TROUPE_TRY(const auto now, usage_of(each.pid));
    const auto used = static_cast<double>(now.cpu_ns - each.before.cpu_ns);
    in.add(condition_of(count), cpu, each.who, used / 1e7 / seconds);
    in.add(condition_of(count), wakeups, each.who,
           static_cast<double>(now.switches - each.before.switches) / seconds);
  }
  return {};
}

} // namespace troupe::bench
