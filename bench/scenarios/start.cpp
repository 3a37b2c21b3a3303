#include "bench/harness/clock.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

namespace troupe::bench {

namespace {

participant podman_run(session& in) {
  return timed(in, "podman", start_to_exit, [&in] {
    return in.in.with_podman()->run({"--rm"}, {"/bin/true"});
  });
}

participant ctr_run(session& in) {
  return timed(in, "containerd", start_to_exit, [&in] {
    return in.in.with_containerd()->run({"--rm"}, fresh_id(), {"/bin/true"});
  });
}

} // namespace

outcome measure_overhead(session& in) {
  auto api = std::make_shared<client::api_client>(in.in.trouped->socket());
  std::vector<participant> all;
  all.push_back(timed(in, "spawn", {"spawn and wait of /bin/true", "ms"},
                      [] { return command{{"/bin/true"}}; }));
  all.push_back(
    {"api", [api]() -> result<readings> {
       const auto began = now_ns();
       TROUPE_CHECK(api->get("/v1/version"));
       return readings{{{"round trip of a call", "ms"}, ms_since(began)}};
     }});
  return in.interleave("", std::move(all), in.rounds(200, 20));
}

outcome measure_start(session& in) {
  std::vector<participant> all{floor_run(in), api_run(in, true), troupe_run(in),
                               oci_run(in, in.in.troupe_oci)};
  for (const auto& each : in.in.peer_runtimes())
    all.push_back(oci_run(in, each));
  if (in.in.with_podman() != nullptr)
    all.push_back(podman_run(in));
  if (in.in.with_containerd() != nullptr)
    all.push_back(ctr_run(in));
  return in.interleave("", std::move(all), in.rounds(100, 8));
}

} // namespace troupe::bench
