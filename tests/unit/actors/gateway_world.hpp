#pragma once

#include "actors/gateway/gateway.hpp"
#include "actors/reactor.hpp"
#include "actors/system_config.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/scratch_directory.hpp"
#include "tests/unit/actors/gateway_fakes.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <vector>

namespace troupe::test {

using nlohmann::json;

/// A real gateway, with its own threads, in front of fakes.
class gateway_world {
protected:
  gateway_world() {
    spdlog::set_level(spdlog::level::off);
    scene_->web.id = "web";
    scene_->web.status = lifecycle::status::running;
    scene_->web.pid = 42;
    scene_->web.created = 1'000'000'001;
    scene_->web.annotation_keys = {"a"};
    scene_->web.annotation_values = {"b"};
    scene_->web.log_path = directory_ / "containers/web/log";
    directory_.write("containers/web/log", first_log);
    directory_.write("containers/web/config.json", R"({"ociVersion":"1.0.2"})");
    for (auto seq = 1; seq <= 600; ++seq)
      scene_->events.push_back(
        {seq, 1, "web", seq % 2 ? "odd" : "even", R"({"exit_code":3})", ""});
  }

  ~gateway_world() {
    gateway_.reset();
    for (const auto& each : actors_)
      caf::anon_send_exit(each, caf::exit_reason::kill);
  }

  void start() {
    reactor_ = *reactor::start();
    auto exec = own(spawn_fake_exec(system_, scene_));
    web_ = own(spawn_fake_container(system_, scene_, exec));
    supervisor_ = own(spawn_fake_supervisor(system_, scene_, web_));
    services_->events = own(spawn_fake_event_log(system_, scene_));
    services_->reactor = &reactor_->poller();
    services_->store = store::directory{directory_.path()};
    auto made = gateway::server::start(system_, socket_, supervisor_,
                                       services_);
    REQUIRE(made);
    gateway_ = *std::move(made);
  }

  http_client::answer ask(const std::string& method, const std::string& target,
                          const std::string& body = {}) {
    http_client client{socket_};
    REQUIRE(client.connected());
    return client.ask(method, target, body);
  }

  /// Asks, expects `status`, and returns the parsed body.
  json expect(int status, const std::string& method, const std::string& target,
              const std::string& body = {}) {
    const auto got = ask(method, target, body);
    INFO(method << ' ' << target << ": " << got.body);
    CHECK(got.status == status);
    auto out = json::parse(got.body, nullptr, false);
    REQUIRE_FALSE(out.is_discarded());
    return out;
  }

  template <class Handle>
  Handle own(Handle x) {
    actors_.push_back(caf::actor_cast<caf::strong_actor_ptr>(x));
    return x;
  }

  static constexpr auto first_log = "1970-01-01T00:00:01Z stdout F one\n"
                                    "1970-01-01T00:00:02Z stderr P tw\n"
                                    "1970-01-01T00:00:03Z stderr F o\n";

  scratch_directory directory_;
  std::string socket_ = directory_ / "api.sock";
  shared_scene scene_ = std::make_shared<scene>();
  std::shared_ptr<services> services_ = std::make_shared<services>();
  std::unique_ptr<reactor> reactor_;
  system_config config_;
  caf::actor_system system_{config_};
  std::vector<caf::strong_actor_ptr> actors_;
  container_actor web_;
  supervisor_actor supervisor_;
  std::unique_ptr<gateway::server> gateway_;
};

inline constexpr auto upgrade_headers
  = "Connection: Upgrade\r\nUpgrade: troupe-stream\r\n";

} // namespace troupe::test
