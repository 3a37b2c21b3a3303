#include "bench/scenarios/participants.hpp"

#include "bench/harness/clock.hpp"

namespace troupe::bench {

namespace {

result<readings> run_by_step(container_api& api, const std::string& bundle) {
  const auto id = fresh_id();
  const auto began = now_ns();
  TROUPE_CHECK(api.create(id, bundle));
  const auto created = now_ns();
  TROUPE_CHECK(api.start(id));
  const auto started = now_ns();
  TROUPE_CHECK(api.wait(id));
  const auto ended = now_ns();
  TROUPE_CHECK(api.remove(id));
  const auto removed = now_ns();
  return readings{{start_to_exit, ms_between(began, removed)},
                  {{"create", "ms"}, ms_between(began, created)},
                  {{"start", "ms"}, ms_between(created, started)},
                  {{"wait", "ms"}, ms_between(started, ended)},
                  {{"remove", "ms"}, ms_between(ended, removed)}};
}

} // namespace

participant api_run(session& in, bool each_step) {
  auto api = std::make_shared<container_api>(in.in.trouped->socket());
  return {"api",
          [api, bundle = in.in.true_bundle(), each_step]() -> result<readings> {
            TROUPE_TRY(auto out, run_by_step(*api, bundle));
            if (!each_step)
              out.resize(1);
            return out;
          }};
}

participant floor_run(session& in) {
  return {"floor", [&in]() -> result<readings> {
            TROUPE_TRY(const auto seen, in.in.floor->order(1));
            return readings{{start_to_exit, seen.front().full_ms}};
          }};
}

participant oci_run(session& in, const oci_cli& runtime) {
  return timed(in, runtime.name(), start_to_exit, [&in, runtime] {
    return runtime.run(fresh_id(), in.in.true_bundle());
  });
}

participant troupe_run(session& in) {
  return timed(in, "troupe", start_to_exit, [&in] {
    return in.in.troupe({"run", "--rm", in.in.true_bundle()});
  });
}

} // namespace troupe::bench
