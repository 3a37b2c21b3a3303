#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

namespace troupe::bench {

/// The floor and runc show what of the growth is the kernel's.
outcome measure_density(session& in) {
  const auto counts = in.in.with.quick
                        ? std::vector<std::size_t>{0, 50}
                        : std::vector<std::size_t>{0, 100, 1000, 2000};
  for (const auto count : counts) {
    in.progress(condition_of(count));
    TROUPE_CHECK(in.in.idle->resize(count));
    std::vector<participant> all{floor_run(in), api_run(in, false)};
    for (const auto& each : in.in.peer_runtimes())
      all.push_back(oci_run(in, each));
    TROUPE_CHECK(
      in.interleave(condition_of(count), std::move(all), in.rounds(40, 5)));
  }
  return {};
}

} // namespace troupe::bench
