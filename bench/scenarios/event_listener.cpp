#include "bench/scenarios/event_listener.hpp"

#include "bench/harness/clock.hpp"
#include "bench/harness/container_api.hpp"

#include <chrono>

namespace troupe::bench {

namespace {

constexpr auto patience = std::chrono::seconds{30};

} // namespace

result<std::unique_ptr<event_listener>>
event_listener::start(const std::string& socket, const std::string& bundle) {
  client::api_client api{socket};
  TROUPE_TRY(const auto info, api.get("/v1/info"));
  std::unique_ptr<event_listener> out{new event_listener{socket, bundle}};
  out->reader_ = std::thread{&event_listener::follow, out.get(),
                             "/v1/events?follow=1&since="
                               + std::to_string(info.value("last_seq", 0ULL))};
  return out;
}

event_listener::~event_listener() {
  {
    const std::lock_guard lock{guard_};
    ended_ = true;
  }
  container_api api{socket_};
  const auto id = fresh_id();
  (void)api.create(id, bundle_);
  (void)api.remove(id);
  reader_.join();
}

void event_listener::follow(const std::string& target) {
  client::api_client api{socket_};
  (void)api.stream(target,
                   [this](std::string_view piece) { return take(piece); });
  const std::lock_guard lock{guard_};
  ended_ = true;
  changed_.notify_all();
}

bool event_listener::take(std::string_view piece) {
  const auto now = now_ns();
  const std::lock_guard lock{guard_};
  pending_ += piece;
  for (auto end = pending_.find('\n'); end != std::string::npos;
       end = pending_.find('\n')) {
    const auto event = nlohmann::json::parse(pending_.substr(0, end), nullptr,
                                             false);
    pending_.erase(0, end + 1);
    if (const auto type = event.is_object() ? event.value("type", "") : "";
        type == "exited" || type == "oom")
      told_.emplace(type + ' ' + event.value("container", ""), now);
  }
  changed_.notify_all();
  return !ended_;
}

result<std::int64_t> event_listener::wait_for(const std::string& id,
                                              const std::string& type) {
  const auto key = type + ' ' + id;
  std::unique_lock lock{guard_};
  if (!changed_.wait_for(lock, patience,
                         [&] { return told_.contains(key) || ended_; }))
    return fail(fault::timed_out, "no event " + key);
  const auto found = told_.find(key);
  if (found == told_.end())
    return fail(fault::unavailable, "the event stream has ended");
  return found->second;
}

} // namespace troupe::bench
