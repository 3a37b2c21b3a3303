#include "bench/harness/bundle.hpp"
#include "bench/harness/clock.hpp"
#include "bench/scenarios/event_listener.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/writes.hpp"
#include "runtime/probe/host.hpp"

#include <nlohmann/json.hpp>

#include <poll.h>
#include <thread>

namespace troupe::bench {

namespace {

const metric to_event{"kernel's notice to event", "ms"};

/// The moment at which the kernel says that something ran out of memory, as a
/// program hears it that does nothing else.
result<std::int64_t> wait_for(const cgroup::control::oom_notice& notice) {
  pollfd fd{notice.fd.get(), static_cast<short>(notice.epoll_events), 0};
  if (::poll(&fd, 1, 30'000) != 1)
    return fail(fault::timed_out, "no OOM");
  return now_ns();
}

result<readings> run_out(session& in, container_api& api,
                         event_listener& events) {
  const auto id = fresh_id();
  TROUPE_CHECK(
    api.api().post("/v1/containers", {{"id", id},
                                      {"bundle", in.in.scratch("eater")},
                                      {"options", {{"memory", 8 << 20}}}}));
  TROUPE_TRY(const auto made, api.api().get("/v1/containers/" + id));
  const auto control = cgroup::open_control(
    cgroup::cgroup_at(sys::probe_host("/"), made.value("cgroup", "")));
  TROUPE_TRY(const auto notice, control->watch_oom());
  if (!notice.fd)
    return fail(fault::unsupported, "this host has no memory controller");
  result<std::int64_t> noticed = 0;
  std::thread waiter{[&] { noticed = wait_for(notice); }};
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
