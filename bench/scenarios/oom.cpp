#include "bench/harness/bundle.hpp"
#include "bench/harness/clock.hpp"
#include "bench/harness/oom_notice.hpp"
#include "bench/scenarios/event_listener.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

#include <nlohmann/json.hpp>

#include <thread>

namespace troupe::bench {

namespace {

const metric to_event{"kernel's notice to event", "ms"};

result<readings> run_out(session& in, container_api& api,
                         event_listener& events) {
  const auto id = fresh_id();
  TROUPE_CHECK(
    api.api().post("/v1/containers", {{"id", id},
                                      {"bundle", in.in.scratch("eater")},
                                      {"options", {{"memory", 8 << 20}}}}));
  TROUPE_TRY(const auto made, api.api().get("/v1/containers/" + id));
  TROUPE_TRY(const auto notice, oom_notice::open(made.value("cgroup", "")));
  result<std::int64_t> noticed = 0;
  std::thread waiter{[&] { noticed = notice.wait(); }};
  const auto started = api.start(id);
  waiter.join();
  TROUPE_CHECK(started);
  TROUPE_TRY(const auto kernel, noticed);
  TROUPE_TRY(const auto told, events.wait_for(id, "oom"));
  TROUPE_CHECK(api.remove(id));
  return readings{{to_event, ms_between(kernel, told)}};
}

} // namespace

outcome measure_oom(session& in) {
  TROUPE_CHECK(make_bundle(in.in.scratch("eater"), in.in.rootfs(),
                           {"/bin/busybox", "tail", "/dev/zero"}));
  auto api = std::make_shared<container_api>(in.in.trouped->socket());
  TROUPE_TRY(auto listener, event_listener::start(in.in.trouped->socket(),
                                                  in.in.true_bundle()));
  return in.interleave(
    "",
    {{"api", [&in, api, &listener] { return run_out(in, *api, *listener); }}},
    in.rounds(50, 5));
}

} // namespace troupe::bench
