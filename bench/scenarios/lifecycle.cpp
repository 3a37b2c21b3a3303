#include "bench/harness/clock.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "runtime/linux/file.hpp"

#include <cstdlib>
#include <poll.h>

namespace troupe::bench {

namespace {

const metric create_time{"create", "ms"};
const metric start_time{"start", "ms"};
const metric delete_time{"delete", "ms"};

constexpr auto end_patience_ms = 30'000;

/// Between start and delete it waits for the end: that is not theirs.
result<readings> live_once(session& in, const oci_cli& runtime) {
  auto& run = in.in.run;
  const auto id = fresh_id();
  const auto pid_file = in.in.scratch("pid");
  TROUPE_TRY(const auto created,
             run.time(runtime.create(id, in.in.true_bundle(), pid_file)));
  TROUPE_TRY(const auto pid, sys::read_file(AT_FDCWD, pid_file));
  const auto init = sys::open_pidfd(std::atoi(pid.c_str()));
  TROUPE_TRY(const auto started, run.time(runtime.start(id)));
  pollfd dead{init ? init->get() : -1, POLLIN, 0};
  if (init && ::poll(&dead, 1, end_patience_ms) != 1)
    return fail(fault::timed_out, "/bin/true does not end");
  TROUPE_TRY(const auto removed, run.time(runtime.remove(id)));
  return readings{
    {create_time, created}, {start_time, started}, {delete_time, removed}};
}

participant oci_life(session& in, const oci_cli& runtime) {
  return {runtime.name(), [&in, runtime] { return live_once(in, runtime); }};
}

participant api_life(session& in) {
  auto api = std::make_shared<container_api>(in.in.trouped->socket());
  return {"api", [api, bundle = in.in.true_bundle()]() -> result<readings> {
            const auto id = fresh_id();
            const auto began = now_ns();
            TROUPE_CHECK(api->create(id, bundle));
            const auto created = now_ns();
            TROUPE_CHECK(api->start(id));
            const auto started = now_ns();
            TROUPE_CHECK(api->wait(id));
            const auto ended = now_ns();
            TROUPE_CHECK(api->remove(id));
            return readings{{create_time, ms_between(began, created)},
                            {start_time, ms_between(created, started)},
                            {delete_time, ms_since(ended)}};
          }};
}

} // namespace

outcome measure_lifecycle(session& in) {
  std::vector<participant> all{api_life(in), oci_life(in, in.in.troupe_oci)};
  for (const auto& each : in.in.peer_runtimes())
    all.push_back(oci_life(in, each));
  return in.interleave("", std::move(all), in.rounds(60, 5));
}

} // namespace troupe::bench
