#pragma once

#include "actors/interfaces.hpp"

#include <caf/fwd.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

/// What the gateway speaks to, without containers behind it: one container
/// "web" with one exec session "e1", which do at once what they are asked.
namespace troupe::test {

/// What test and fakes share.
class scene {
public:
  void note(std::string call) {
    const std::lock_guard lock{guard_};
    calls_.push_back(std::move(call));
    changed_.notify_all();
  }

  /// Whether `call` was made, or is within half a minute.
  [[nodiscard]] bool saw(const std::string& call) {
    return wait([&] {
      return std::find(calls_.begin(), calls_.end(), call) != calls_.end();
    });
  }

  /// How many calls begin with `prefix`, so far.
  [[nodiscard]] std::ptrdiff_t count(const std::string& prefix) {
    const std::lock_guard lock{guard_};
    return std::count_if(
      calls_.begin(), calls_.end(),
      [&](const std::string& each) { return each.starts_with(prefix); });
  }

  void attach(msg::shared_fd socket) {
    const std::lock_guard lock{guard_};
    attached_ = std::move(socket);
    changed_.notify_all();
  }

  [[nodiscard]] msg::shared_fd attached() {
    wait([&] { return attached_ != nullptr; });
    const std::lock_guard lock{guard_};
    return std::move(attached_);
  }

  msg::snapshot web; ///< Set before the actors start.
  std::vector<msg::event> events;

private:
  template <class Until>
  bool wait(Until until) {
    std::unique_lock lock{guard_};
    return changed_.wait_for(lock, std::chrono::seconds{30}, until);
  }

  std::mutex guard_;
  std::condition_variable changed_;
  std::vector<std::string> calls_;
  msg::shared_fd attached_;
};

using shared_scene = std::shared_ptr<scene>;

exec_session_actor spawn_fake_exec(caf::actor_system& system, shared_scene in);
container_actor spawn_fake_container(caf::actor_system& system, shared_scene in,
                                     exec_session_actor exec);
supervisor_actor spawn_fake_supervisor(caf::actor_system& system,
                                       shared_scene in, container_actor web);
event_log_actor spawn_fake_event_log(caf::actor_system& system,
                                     shared_scene in);

} // namespace troupe::test
