#include "bench/harness/clock.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

#include <algorithm>
#include <latch>
#include <mutex>
#include <thread>

namespace troupe::bench {

namespace {

const metric throughput{"throughput", "/s", true};

/// Each latency counts from the moment at which all were wanted.
readings burst_readings(const std::vector<double>& latencies) {
  readings out;
  const auto last = std::ranges::max(latencies);
  out.emplace_back(throughput,
                   1000.0 * static_cast<double>(latencies.size()) / last);
  for (const auto each : latencies)
    out.emplace_back(start_to_exit, each);
  return out;
}

/// As many processes as keep the processors busy while some wait in the kernel;
/// more only stand in each other's way.
participant floor_burst(session& in, std::size_t count) {
  const auto starters = static_cast<int>(std::min<std::size_t>(
    count, std::size_t{4} * std::thread::hardware_concurrency()));
  return {"floor", [&in, count, starters]() -> result<readings> {
            TROUPE_TRY(const auto seen,
                       in.in.floor->order(static_cast<int>(count), starters));
            std::vector<double> out;
            out.reserve(seen.size());
            for (const auto& each : seen)
              out.push_back(each.full_ms);
            return burst_readings(out);
          }};
}

/// As many clients, each on a connection of its own that is open already.
class api_clients {
public:
  api_clients(session& in, std::size_t count) : bundle_(in.in.true_bundle()) {
    for (auto i = std::size_t{0}; i < count; ++i)
      all_.push_back(std::make_unique<container_api>(in.in.trouped->socket()));
  }

  [[nodiscard]] result<readings> burst() {
    for (const auto& each : all_)
      TROUPE_CHECK(each->api().get("/v1/version"));
    std::vector<double> took(all_.size());
    std::mutex guard;
    outcome failed;
    std::latch go{static_cast<std::ptrdiff_t>(all_.size()) + 1};
    std::int64_t wanted = 0;
    std::vector<std::thread> threads;
    for (auto i = std::size_t{0}; i < all_.size(); ++i)
      threads.emplace_back([&, i] {
        go.arrive_and_wait();
        const auto done = all_[i]->run(fresh_id(), bundle_);
        took[i] = ms_since(wanted);
        const std::lock_guard lock{guard};
        if (!done)
          failed = done;
      });
    wanted = now_ns(); // the latch orders it before what reads it
    go.arrive_and_wait();
    for (auto& each : threads)
      each.join();
    TROUPE_CHECK(failed);
    return burst_readings(took);
  }

private:
  std::string bundle_;
  std::vector<std::unique_ptr<container_api>> all_;
};

participant api_burst(session& in, std::size_t count) {
  auto clients = std::make_shared<api_clients>(in, count);
  return {"api", [clients] { return clients->burst(); }};
}

participant oci_burst(session& in, const oci_cli& runtime, std::size_t count) {
  return {runtime.name(), [&in, runtime, count]() -> result<readings> {
            std::vector<command> all;
            for (auto i = std::size_t{0}; i < count; ++i)
              all.push_back(runtime.run(fresh_id(), in.in.true_bundle()));
            TROUPE_TRY(const auto took, in.in.run.time_all(std::move(all)));
            return burst_readings(took);
          }};
}

struct burst {
  std::size_t count;
  int rounds;
};

} // namespace

outcome measure_concurrent(session& in) {
  const auto bursts = in.in.with.quick
                        ? std::vector<burst>{{1, 5}, {8, 2}, {32, 1}}
                        : std::vector<burst>{
                          {1, 40}, {8, 15}, {64, 5}, {256, 3}};
  for (const auto& [count, rounds] : bursts) {
    std::vector<participant> all{floor_burst(in, count), api_burst(in, count),
                                 oci_burst(in, in.in.troupe_oci, count)};
    for (const auto& each : in.in.peer_runtimes())
      all.push_back(oci_burst(in, each, count));
    TROUPE_CHECK(in.interleave(condition_of(count), std::move(all), rounds));
  }
  return {};
}

} // namespace troupe::bench
