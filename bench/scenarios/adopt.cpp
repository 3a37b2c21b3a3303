#include "bench/harness/clock.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

namespace troupe::bench {

namespace {

const metric taken_up{"exec to all taken up", "ms"};
const metric adoption{"exec to complete list", "ms"};

/// kill -9, and a new supervisor: it answers for one container when it has
/// taken up all; its first list has to hold them all, and a thousand take their
/// time to be written and read.
result<readings> restart(session& in, std::size_t count) {
  in.in.trouped->kill();
  TROUPE_TRY(const auto executed, in.in.trouped->start());
  client::api_client api{in.in.trouped->socket()};
  const auto one = "/v1/containers/" + in.in.idle->ids().front();
  TROUPE_TRY(const auto first, api.get(one));
  const auto up = ms_since(executed);
  TROUPE_TRY(const auto all, api.get("/v1/containers"));
  const auto took = ms_since(executed);
  if (all.size() != count)
    return fail(fault::os, std::to_string(all.size()) + " of "
                             + std::to_string(count)
                             + " containers were adopted");
  return readings{{taken_up, up}, {adoption, took}};
}

} // namespace

outcome measure_adopt(session& in) {
  const auto counts = in.in.with.quick ? std::vector<std::size_t>{50, 20}
                                       : std::vector<std::size_t>{1000, 100};
  for (const auto count : counts) {
    TROUPE_CHECK(in.in.idle->resize(count));
    TROUPE_CHECK(
      in.interleave(condition_of(count),
                    {{"trouped", [&in, count] { return restart(in, count); }}},
                    in.rounds(10, 2)));
  }
  return {};
}

} // namespace troupe::bench
