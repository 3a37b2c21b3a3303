#include "bench/harness/clock.hpp"
#include "bench/harness/footprint.hpp"
#include "bench/harness/interrupt.hpp"
#include "bench/scenarios/participants.hpp"
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
  // The starts' deadlines, a minute each, cannot be cancelled in CAF 0.17.
  TROUPE_CHECK(pass_time(in.rounds(75, 1)));
  return measure_rest(in, condition_of(count),
                      {{"trouped", in.in.trouped->pid()},
                       {"troupe-shim", in.in.trouped->shim_pid()}},
                      in.rounds(60, 3));
}

outcome measure_rest(session& in, const std::string& condition,
                     const std::vector<resting>& who, int seconds) {
  std::vector<usage> before;
  for (const auto& each : who) {
    TROUPE_TRY(before.emplace_back(), usage_of(each.pid));
  }
  const auto began = now_ns();
  TROUPE_CHECK(pass_time(seconds));
  const auto took = ms_since(began) / 1e3;
  for (std::size_t i = 0; i < who.size(); ++i) {
    TROUPE_TRY(const auto now, usage_of(who[i].pid));
    const auto used = static_cast<double>(now.cpu_ns - before[i].cpu_ns);
    const auto woken = static_cast<double>(now.switches - before[i].switches);
    in.add(condition, cpu, who[i].name, used / 1e7 / took);
    in.add(condition, wakeups, who[i].name, woken / took);
  }
  return {};
}

} // namespace troupe::bench
