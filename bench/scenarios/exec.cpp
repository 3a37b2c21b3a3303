#include "bench/harness/clock.hpp"
#include "bench/scenarios/hosts.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

namespace troupe::bench {

namespace {

const metric round_trip{"exec round trip", "ms"};

constexpr auto program = "/bin/true";

participant api_exec(session& in, const std::string& id) {
  auto api = std::make_shared<client::api_client>(in.in.trouped->socket());
  return {"api",
          [api, path = "/v1/containers/" + id + "/exec"]() -> result<readings> {
            const auto began = now_ns();
            TROUPE_TRY(const auto made,
                       api->post(path, nlohmann::json{{"args", {program}}}));
            const auto own = path + "/" + made.value("id", "");
            TROUPE_CHECK(api->post(own + "/start"));
            TROUPE_TRY(const auto ended, api->get(own + "/wait"));
            TROUPE_CHECK(api->del(own));
            if (ended.value("exit_code", -1) != 0)
              return fail(fault::os, "exec ended badly: " + ended.dump());
            return readings{{round_trip, ms_since(began)}};
          }};
}

void add_oci(session& in, hosts& with, const oci_cli& runtime,
             std::vector<participant>& to) {
  const auto id = fresh_id();
  if (with.start(runtime.name(), runtime.run_detached(id, in.in.idle_bundle()),
                 runtime.remove_by_force(id)))
    to.push_back(timed(in, runtime.name(), round_trip,
                       [runtime, id] { return runtime.exec(id, program); }));
}

void add_podman(session& in, hosts& with, std::vector<participant>& to) {
  auto* const podman = in.in.with_podman();
  if (podman == nullptr)
    return;
  const auto id = fresh_id();
  if (with.start(
        "podman",
        podman->run({"--detach", "--name", id}, {"/bin/probe", "pause"}),
        podman->call({"rm", "--force", "--time", "0", id})))
    to.push_back(timed(in, "podman", round_trip, [podman, id] {
      return podman->call({"exec", id, program});
    }));
}

void add_containerd(session& in, hosts& with, std::vector<participant>& to) {
  auto* const ctr = in.in.with_containerd();
  if (ctr == nullptr)
    return;
  const auto id = fresh_id();
  if (with.start("containerd",
                 ctr->run({"--detach"}, id, {"/bin/probe", "pause"}),
                 ctr->remove_by_force(id)))
    to.push_back(timed(in, "containerd", round_trip, [ctr, id] {
      return ctr->call({"tasks", "exec", "--exec-id", fresh_id(), id, program});
    }));
}

} // namespace

outcome measure_exec(session& in) {
  hosts with{in};
  TROUPE_TRY(const auto id, with.start_with_api());
  std::vector<participant> all{api_exec(in, id),
                               timed(in, "troupe", round_trip, [&in, id] {
                                 return in.in.troupe({"exec", id, program});
                               })};
  add_oci(in, with, in.in.troupe_oci, all);
  for (const auto& each : in.in.peer_runtimes())
    add_oci(in, with, each, all);
  add_podman(in, with, all);
  add_containerd(in, with, all);
  return in.interleave("", std::move(all), in.rounds(60, 5));
}

} // namespace troupe::bench
