#include "bench/harness/clock.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace troupe::bench {

namespace {

const metric taken_up{"exec to all taken up", "ms"};
const metric adoption{"exec to complete list", "ms"};

/// kill -9, and a new supervisor, which answers `path` when it has taken up all
/// containers.
result<double> restart(session& in, const std::string& path,
                       nlohmann::json& answer) {
  in.in.trouped->kill();
  TROUPE_TRY(const auto executed, in.in.trouped->start());
  client::api_client api{in.in.trouped->socket()};
  TROUPE_TRY(answer, api.get(path));
  return ms_since(executed);
}

result<readings> take_up(session& in) {
  nlohmann::json one;
  TROUPE_TRY(const auto took,
             restart(in, "/v1/containers/" + in.in.idle->ids().front(), one));
  return readings{{taken_up, took}};
}

/// A thousand take their time to be written and read.
result<readings> take_up_and_list(session& in, std::size_t count) {
  nlohmann::json all;
  TROUPE_TRY(const auto took, restart(in, "/v1/containers", all));
  if (all.size() != count)
    return fail(fault::os, std::to_string(all.size()) + " of "
                             + std::to_string(count)
                             + " containers were adopted");
  return readings{{adoption, took}};
}

} // namespace

outcome measure_adopt(session& in) {
  const auto counts = in.in.with.quick ? std::vector<std::size_t>{50, 20}
                                       : std::vector<std::size_t>{1000, 100};
  for (const auto count : counts) {
    TROUPE_CHECK(in.in.idle->resize(count));
    TROUPE_CHECK(in.interleave(
      condition_of(count),
      {{"trouped", [&in] { return take_up(in); }},
       {"trouped", [&in, count] { return take_up_and_list(in, count); }}},
      in.rounds(10, 2)));
  }
  return {};
}

} // namespace troupe::bench
