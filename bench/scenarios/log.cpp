#include "bench/harness/bundle.hpp"
#include "bench/harness/clock.hpp"
#include "bench/harness/conmon.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "runtime/linux/search_path.hpp"

#include <filesystem>

namespace troupe::bench {

namespace {

const metric log_throughput{"log throughput", "MiB/s", true};
const metric log_cpu{"CPU of who logs, per GiB", "ms"};

constexpr auto rotate_at = "16mb"; // trouped's default, for podman, too

readings rate(int mib, double ms) {
  return {{log_throughput, 1000.0 * mib / ms}};
}

/// From start to end: its log is complete when a wait is answered.
result<log_cost> log_with_shim(container_api& api, const std::string& bundle,
                               const std::string& log) {
  const auto id = fresh_id();
  TROUPE_TRY(const auto host, api.api().get("/v1/info"));
  const auto shim = host.value("shim_pid", 0);
  nlohmann::json request{{"id", id}, {"bundle", bundle}};
  if (!log.empty())
    request["log"] = {{"path", log}, {"max_size", std::int64_t{1} << 40}};
  TROUPE_CHECK(api.api().post("/v1/containers", request));
  TROUPE_TRY(const auto before, cpu_ms_of(shim));
  const auto began = now_ns();
  TROUPE_CHECK(api.start(id));
  TROUPE_CHECK(api.wait(id));
  log_cost out{ms_since(began), 0};
  TROUPE_TRY(const auto after, cpu_ms_of(shim));
  out.cpu_ms = after - before;
  TROUPE_TRY(const auto seen, api.api().get("/v1/containers/" + id));
  TROUPE_CHECK(api.remove(id));
  if (!log.empty())
    std::filesystem::remove(log);
  if (seen.value("log_dropped", -1) != 0)
    return fail(fault::os, "output was dropped: " + seen.dump());
  return out;
}

readings cost(int mib, const log_cost& x) {
  auto out = rate(mib, x.ms);
  out.emplace_back(log_cpu, x.cpu_ms * 1024 / mib);
  return out;
}

/// The shim and conmon, one file each in the same place, not rotated.
outcome measure_beside_conmon(session& in,
                              const std::shared_ptr<container_api>& api,
                              const std::string& bundle, int mib, int rounds) {
  const auto runc = sys::find_on_path("runc");
  if (sys::find_on_path("conmon").empty() || in.in.peer_runtimes().empty())
    return {};
  const auto place = in.in.scratch("logs");
  std::filesystem::create_directories(place);
  const oci_cli runtime{"runc", runc, place + "/runc"};
  return in.interleave(
    "one file",
    {{"shim",
      [api, bundle, mib, place]() -> result<readings> {
        TROUPE_TRY(const auto took,
                   log_with_shim(*api, bundle, place + "/log"));
        return cost(mib, took);
      }},
     {"conmon",
      [&in, bundle, mib, place, runtime, runc]() -> result<readings> {
        TROUPE_TRY(const auto took,
                   log_with_conmon(in.in.run, runtime, runc, place + "/runc",
                                   bundle, place));
        return cost(mib, took);
      }}},
    rounds);
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
    {"api", [api, bundle, mib]() -> result<readings> {
       TROUPE_TRY(const auto took, log_with_shim(*api, bundle, ""));
       return cost(mib, took);
     }}};
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
  const auto rounds = in.rounds(10, 2);
  TROUPE_CHECK(in.interleave("", std::move(all), rounds));
  return measure_beside_conmon(in, api, bundle, mib, rounds);
}

} // namespace troupe::bench
