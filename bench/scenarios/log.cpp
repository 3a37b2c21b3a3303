#include "bench/harness/bundle.hpp"
#include "bench/harness/clock.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

namespace troupe::bench {

namespace {

const metric log_throughput{"log throughput", "MiB/s", true};

constexpr auto rotate_at = "16mb"; // trouped's default, for podman, too

readings rate(int mib, double ms) {
  return {{log_throughput, 1000.0 * mib / ms}};
}

/// From start to end: its log is complete when a wait is answered.
result<readings> write_with_api(container_api& api, const std::string& bundle,
                                int mib) {
  const auto id = fresh_id();
  TROUPE_CHECK(api.create(id, bundle));
  const auto began = now_ns();
  TROUPE_CHECK(api.start(id));
  TROUPE_CHECK(api.wait(id));
  const auto took = ms_since(began);
  TROUPE_TRY(const auto seen, api.api().get("/v1/containers/" + id));
  TROUPE_CHECK(api.remove(id));
  if (seen.value("log_dropped", -1) != 0)
    return fail(fault::os, "output was dropped: " + seen.dump());
  return rate(mib, took);
}

} // namespace

outcome measure_log(session& in) {
  const auto mib = in.rounds(256, 32);
  const auto size = std::to_string(std::int64_t{mib} << 20U);
  const auto bundle = in.in.scratch("lines");
  const std::vector<std::string> args{"/bin/probe", "lines", size};
  TROUPE_CHECK(make_bundle(bundle, in.in.rootfs(), args));
  auto api = std::make_shared<container_api>(in.in.trouped->socket());
  std::vector<participant> all{
    {"api", [api, bundle, mib] { return write_with_api(*api, bundle, mib); }}};
  if (in.in.with_podman() != nullptr)
    all.push_back({"podman", [&in, args, mib]() -> result<readings> {
                     TROUPE_TRY(
                       const auto took,
                       in.in.run.time(in.in.with_podman()->run(
                         {"--rm", "--log-driver", "k8s-file", "--log-opt",
                          std::string{"max-size="} + rotate_at},
                         args)));
                     return rate(mib, took);
                   }});
  return in.interleave("", std::move(all), in.rounds(10, 2));
}

} // namespace troupe::bench
