#include "bench/harness/clock.hpp"
#include "bench/scenarios/hosts.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

namespace troupe::bench {

namespace {

const metric pause_time{"pause and unpause", "ms"};
const metric update_time{"update", "ms"};

/// Each update is another one: what is written already is not written again.
std::string next_limit() {
  static auto last = 1000;
  return std::to_string(++last);
}

participant api_control(session& in, const std::string& id) {
  auto api = std::make_shared<client::api_client>(in.in.trouped->socket());
  return {"api", [api, path = "/v1/containers/" + id]() -> result<readings> {
            const auto began = now_ns();
            TROUPE_CHECK(api->post(path + "/pause"));
            TROUPE_CHECK(api->post(path + "/unpause"));
            const auto thawed = now_ns();
            TROUPE_CHECK(api->post(
              path + "/update",
              nlohmann::json{{"pids", {{"limit", std::stoi(next_limit())}}}}));
            return readings{{pause_time, ms_between(began, thawed)},
                            {update_time, ms_since(thawed)}};
          }};
}

result<readings> control_once(session& in, const oci_cli& runtime,
                              const std::string& id) {
  auto& run = in.in.run;
  TROUPE_TRY(const auto paused, run.time(runtime.pause(id)));
  TROUPE_TRY(const auto resumed, run.time(runtime.resume(id)));
  TROUPE_TRY(const auto updated, run.time(runtime.update(id, next_limit())));
  return readings{{pause_time, paused + resumed}, {update_time, updated}};
}

void add_control(session& in, hosts& with, const oci_cli& runtime,
                 std::vector<participant>& to) {
  const auto id = fresh_id();
  if (with.start(runtime.name(), runtime.run_detached(id, in.in.idle_bundle()),
                 runtime.remove_by_force(id)))
    to.push_back({runtime.name(), [&in, runtime, id] {
                    return control_once(in, runtime, id);
                  }});
}

} // namespace

outcome measure_control(session& in) {
  hosts with{in};
  TROUPE_TRY(const auto id, with.start_with_api());
  std::vector<participant> all{api_control(in, id)};
  add_control(in, with, in.in.troupe_oci, all);
  for (const auto& each : in.in.peer_runtimes())
    add_control(in, with, each, all);
  return in.interleave("", std::move(all), in.rounds(60, 5));
}

} // namespace troupe::bench
