#include "bench/harness/clock.hpp"
#include "bench/harness/stuck_mount.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <thread>

namespace troupe::bench {

namespace {

const metric list_time{"list of all", "ms"};
const metric inspect_time{"inspect of another", "ms"};
const metric pause_time{"pause and unpause of another", "ms"};

/// A container whose freeze cannot end, as long as this is there: one of its
/// processes looks into a file system that does not answer.
class stuck_container {
public:
  explicit stuck_container(session& in)
    : in_(in), id_(fresh_id()), api_(in.in.trouped->socket()) {
  }
  stuck_container(const stuck_container&) = delete;
  stuck_container& operator=(const stuck_container&) = delete;
  ~stuck_container() {
    (void)api_.remove(id_);
    for (auto* each : {&looker_, &pauser_})
      if (each->joinable())
        each->join();
  }

  /// Returns once the freeze hangs.
  [[nodiscard]] outcome begin() {
    TROUPE_CHECK(api_.create(id_, in_.in.idle_bundle()));
    TROUPE_CHECK(api_.start(id_));
    TROUPE_TRY(const auto about, api_.api().get(path()));
    TROUPE_TRY(mount_, stuck_mount::make(about.value("pid", 0), "/root"));
    looker_ = std::thread{[this] {
      (void)in_.in.run.output_of(in_.in.troupe({"exec", id_, "ls", "/root"}));
    }};
    TROUPE_CHECK(mount_->await_visitor(std::chrono::seconds{10}));
    pauser_ = std::thread{[this] {
      client::api_client own{in_.in.trouped->socket()};
      (void)own.post(path() + "/pause");
    }};
    return wait_until_it_hangs();
  }

  /// Whether it has hung until now.
  [[nodiscard]] bool is_stuck() {
    const auto now = api_.api().get(path());
    return now && now->value("status", "") == "pausing";
  }

private:
  [[nodiscard]] std::string path() const {
    return "/v1/containers/" + id_;
  }

  outcome wait_until_it_hangs() {
    const auto deadline = std::chrono::steady_clock::now()
                          + std::chrono::seconds{10};
    while (std::chrono::steady_clock::now() < deadline) {
      if (is_stuck())
        return {};
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return fail(fault::timed_out, "no freeze that hangs");
  }

  session& in_;
  std::string id_;
  container_api api_;
  std::optional<stuck_mount> mount_;
  std::thread looker_;
  std::thread pauser_;
};

participant api_looks(session& in) {
  auto api = std::make_shared<client::api_client>(in.in.trouped->socket());
  const auto one = "/v1/containers/" + in.in.idle->ids().front();
  return {"api", [api, one]() -> result<readings> {
            const auto began = now_ns();
            TROUPE_CHECK(api->get_text("/v1/containers"));
            const auto listed = now_ns();
            TROUPE_CHECK(api->get(one));
            const auto inspected = now_ns();
            TROUPE_CHECK(api->post(one + "/pause"));
            TROUPE_CHECK(api->post(one + "/unpause"));
            return readings{{list_time, ms_between(began, listed)},
                            {inspect_time, ms_between(listed, inspected)},
                            {pause_time, ms_since(inspected)}};
          }};
}

} // namespace

outcome measure_stuck(session& in) {
  TROUPE_CHECK(in.in.idle->resize(100));
  const auto rounds = in.rounds(200, 20);
  TROUPE_CHECK(in.interleave("nothing hangs", {api_looks(in)}, rounds));
  stuck_container hanging{in};
  TROUPE_CHECK(hanging.begin());
  TROUPE_CHECK(in.interleave("a freeze hangs", {api_looks(in)}, rounds));
  if (!hanging.is_stuck())
    return fail(fault::os, "the freeze ended while it was measured beside");
  return {};
}

} // namespace troupe::bench
