#include "bench/harness/container_api.hpp"

#include <atomic>

namespace troupe::bench {

namespace {

std::string at(const std::string& id, const std::string& rest = "") {
  return "/v1/containers/" + id + rest;
}

} // namespace

outcome container_api::create(const std::string& id,
                              const std::string& bundle) {
  TROUPE_CHECK(api_.post("/v1/containers",
                         nlohmann::json{{"id", id}, {"bundle", bundle}}));
  return {};
}

outcome container_api::start(const std::string& id) {
  TROUPE_CHECK(api_.post(at(id, "/start")));
  return {};
}

outcome container_api::wait(const std::string& id) {
  TROUPE_TRY(const auto ended, api_.get(at(id, "/wait")));
  if (ended.value("exit_code", -1) != 0)
    return fail(fault::os, "container " + id + " ended badly: " + ended.dump());
  return {};
}

outcome container_api::remove(const std::string& id) {
  TROUPE_CHECK(api_.del(at(id, "?force=1")));
  return {};
}

outcome container_api::run(const std::string& id, const std::string& bundle) {
  TROUPE_CHECK(create(id, bundle));
  TROUPE_CHECK(start(id));
  TROUPE_CHECK(wait(id));
  return remove(id);
}

std::string fresh_id() {
  static std::atomic<int> number{0};
  return "bench-" + std::to_string(++number);
}

} // namespace troupe::bench
