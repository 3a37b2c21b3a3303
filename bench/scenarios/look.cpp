#include "bench/harness/clock.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <thread>

namespace troupe::bench {

namespace {

const metric list_time{"list of all", "ms"};
const metric inspect_time{"inspect of one", "ms"};
const metric usage_time{"look at use, per container", "us"};
const metric usage_again_time{"look each second, per container", "us"};

/// Starts and ends containers from two connections until it goes.
class start_load {
public:
  explicit start_load(session& in) {
    for (auto i = 0; i < 2; ++i)
      threads_.emplace_back(
        [this, socket = in.in.trouped->socket(), bundle = in.in.true_bundle()] {
          container_api api{socket};
          while (!ended_)
            if (!api.run(fresh_id(), bundle))
              failed_ = ended_ = true;
        });
  }
  start_load(const start_load&) = delete;
  start_load& operator=(const start_load&) = delete;
  ~start_load() {
    ended_ = true;
    for (auto& each : threads_)
      each.join();
  }
  [[nodiscard]] bool failed() const {
    return failed_;
  }

private:
  std::atomic<bool> ended_{false};
  std::atomic<bool> failed_{false};
  std::vector<std::thread> threads_;
};

participant api_look(session& in, std::size_t count) {
  auto api = std::make_shared<client::api_client>(in.in.trouped->socket());
  const auto one = "/v1/containers/" + in.in.idle->ids().front();
  return {"api", [api, one, count]() -> result<readings> {
            const auto began = now_ns();
            TROUPE_TRY(const auto all, api->get_text("/v1/containers"));
            const auto listed = now_ns();
            TROUPE_CHECK(api->get(one));
            const auto inspected = now_ns();
            if (nlohmann::json::parse(all, nullptr, false).size() < count)
              return fail(fault::os, "the list is not complete");
            return readings{{list_time, ms_between(began, listed)},
                            {inspect_time, ms_between(listed, inspected)}};
          }};
}

std::vector<participant> lookers(session& in, std::size_t count) {
  return {
    api_look(in, count),
    timed(in, "troupe", list_time, [&in] { return in.in.troupe({"ps"}); }),
    timed(in, "troupe", inspect_time, [&in] {
      return in.in.troupe({"inspect", in.in.idle->ids().front()});
    })};
}

/// As the sampler itself has measured it: files that are open are read, and
/// nothing else.
double per_container_us(const nlohmann::json& look) {
  return look.value("took_ns", 0.0) / 1000
         / static_cast<double>(look.at("containers").size());
}

participant api_usage(session& in) {
  auto api = std::make_shared<client::api_client>(in.in.trouped->socket());
  return {"api", [api]() -> result<readings> {
            TROUPE_TRY(const auto look, api->get("/v1/stats"));
            return readings{{usage_time, per_container_us(look)}};
          }};
}

/// What a subscriber costs: a stream's looks after the first, which opens the
/// files.
participant api_usage_stream(session& in, int looks) {
  auto api = std::make_shared<client::api_client>(in.in.trouped->socket());
  return {"api", [api, looks]() -> result<readings> {
            readings out;
            std::string pending;
            auto seen = 0;
            TROUPE_CHECK(
              api->stream("/v1/stats?stream=1", [&](std::string_view piece) {
                pending += piece;
                const auto end = pending.find('\n');
                if (end == std::string::npos)
                  return true;
                const auto look = nlohmann::json::parse(pending.substr(0, end));
                pending.erase(0, end + 1);
                if (seen != 0)
                  out.push_back({usage_again_time, per_container_us(look)});
                return ++seen <= looks;
              }));
            return out;
          }};
}

} // namespace

outcome measure_look(session& in) {
  const auto count = static_cast<std::size_t>(in.rounds(1000, 50));
  TROUPE_CHECK(in.in.idle->resize(count));
  const auto condition = condition_of(count);
  TROUPE_CHECK(
    in.interleave(condition, lookers(in, count), in.rounds(100, 10)));
  TROUPE_CHECK(in.interleave(condition, {api_usage(in)}, in.rounds(20, 3)));
  TROUPE_CHECK(
    in.interleave(condition, {api_usage_stream(in, in.rounds(20, 3))}, 1));
  const start_load load{in};
  TROUPE_CHECK(in.interleave(condition + ", starting others",
                             lookers(in, count), in.rounds(100, 10)));
  if (load.failed())
    in.absent("api", "a start of the load failed");
  return {};
}

} // namespace troupe::bench
