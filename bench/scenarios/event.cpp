#include "bench/harness/bundle.hpp"
#include "bench/harness/clock.hpp"
#include "bench/scenarios/event_listener.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

#include <cstdlib>
#include <thread>

namespace troupe::bench {

namespace {

const metric to_waiter{"last act to its waiter", "ms"};
const metric to_subscriber{"last act to event", "ms"};

result<std::int64_t> parse_clock(const std::string& text) {
  const auto at = std::strtoll(text.c_str(), nullptr, 10);
  if (at == 0)
    return fail(fault::os, "the container did not tell its time: " + text);
  return at;
}

/// What the container wrote, from its log.
result<std::int64_t> last_act(client::api_client& api, const std::string& id) {
  std::string text;
  TROUPE_CHECK(api.stream("/v1/containers/" + id + "/logs?format=raw",
                          [&](std::string_view piece) {
                            text += piece;
                            return true;
                          }));
  return parse_clock(text);
}

result<readings> end_one(session& in, container_api& api,
                         event_listener& events) {
  const auto id = fresh_id();
  TROUPE_CHECK(api.create(id, in.in.scratch("clock")));
  outcome waited;
  std::int64_t told = 0;
  std::thread waiter{[&] {
    container_api own{in.in.trouped->socket()};
    waited = own.wait(id);
    told = now_ns();
  }};
  const auto started = api.start(id);
  waiter.join();
  TROUPE_CHECK(started);
  TROUPE_CHECK(waited);
  TROUPE_TRY(const auto heard, events.wait_for(id, "exited"));
  TROUPE_TRY(const auto acted, last_act(api.api(), id));
  TROUPE_CHECK(api.remove(id));
  return readings{{to_waiter, ms_between(acted, told)},
                  {to_subscriber, ms_between(acted, heard)}};
}

/// A command in the foreground that runs the container and ends after it.
participant foreground(session& in, std::string name,
                       std::function<command()> make) {
  return {std::move(name), [&in, make = std::move(make)]() -> result<readings> {
            TROUPE_TRY(const auto said, in.in.run.output_of(make()));
            const auto told = now_ns();
            TROUPE_TRY(const auto acted, parse_clock(said));
            return readings{{to_waiter, ms_between(acted, told)}};
          }};
}

} // namespace

outcome measure_event(session& in) {
  const auto bundle = in.in.scratch("clock");
  TROUPE_CHECK(make_bundle(bundle, in.in.rootfs(), {"/bin/probe", "clock"}));
  auto api = std::make_shared<container_api>(in.in.trouped->socket());
  TROUPE_TRY(auto listener, event_listener::start(in.in.trouped->socket(),
                                                  in.in.true_bundle()));
  std::vector<participant> all{
    {"api", [&in, api, &listener] { return end_one(in, *api, *listener); }},
    foreground(in, "troupe",
               [&in, bundle] {
                 return in.in.troupe({"run", "--rm", bundle});
               }),
    foreground(in, "troupe-oci", [&in, bundle] {
      return in.in.troupe_oci.run(fresh_id(), bundle);
    })};
  for (const auto& each : in.in.peer_runtimes())
    all.push_back(foreground(in, each.name(), [each, bundle] {
      return each.run(fresh_id(), bundle);
    }));
  if (in.in.with_podman() != nullptr)
    all.push_back(foreground(in, "podman", [&in] {
      return in.in.with_podman()->run({"--rm"}, {"/bin/probe", "clock"});
    }));
  return in.interleave("", std::move(all), in.rounds(50, 5));
}

} // namespace troupe::bench
