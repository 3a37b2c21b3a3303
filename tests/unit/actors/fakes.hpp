#pragma once

#include "actors/services.hpp"
#include "tests/support/deterministic.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// The parts of a stage (stage.hpp): what they hold, and what a test may change
/// about them.
namespace troupe::test {

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};

template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>; // clang 14 has no CTAD for aggregates.

using fake_log = std::vector<std::string>;

inline caf::error sample_error(fault code, const std::string& what) {
  return to_caf({code, 0, what});
}

// -- cgroup -------------------------------------------------------------------

struct fake_cgroup {
  cgroup::freeze_state state = cgroup::freeze_state::thawed;
  bool freezes_at_once = true;
  std::optional<failure> freeze_failure;
  std::optional<failure> thaw_failure;
  std::int64_t oom_kills = 0;
  std::vector<pid_t> pids;
  bool is_empty = false; ///< It can be removed without a launcher.
};

class fake_control : public cgroup::control {
public:
  fake_control(std::shared_ptr<fake_cgroup> group,
               std::shared_ptr<fake_log> log)
    : group_(std::move(group)), log_(std::move(log)) {
  }

  outcome freeze() override {
    log_->emplace_back("freeze");
    if (group_->freeze_failure)
      return fail(*group_->freeze_failure);
    group_->state = group_->freezes_at_once ? cgroup::freeze_state::frozen
                                            : cgroup::freeze_state::freezing;
    return {};
  }

  outcome thaw() override {
    log_->emplace_back("thaw");
    if (group_->thaw_failure)
      return fail(*group_->thaw_failure);
    group_->state = cgroup::freeze_state::thawed;
    return {};
  }

  result<cgroup::freeze_state> state() override {
    return group_->state;
  }

  result<std::vector<pid_t>> processes() override {
    return group_->pids;
  }

  outcome signal_all(int signo) override {
    log_->push_back("signal_all " + std::to_string(signo));
    return {};
  }

  result<cgroup::stats> read() override {
    auto out = cgroup::stats{};
    out.memory.usage = 4096;
    out.oom_kills = group_->oom_kills;
    return out;
  }

  result<std::int64_t> oom_kills() override {
    return group_->oom_kills;
  }

  cgroup::oom_origin origin_of_oom(const sys::oom_report*) override {
    return {};
  }

  std::optional<sys::oom_report> take_oom(sys::kernel_log&) override {
    return std::nullopt;
  }

  std::string oom_file() override {
    return {};
  }

  result<oom_notice> watch_oom() override {
    return oom_notice{};
  }

  bool remove_if_empty() override {
    log_->emplace_back("remove_if_empty");
    return group_->is_empty;
  }

private:
  std::shared_ptr<fake_cgroup> group_;
  std::shared_ptr<fake_log> log_;
};

// -- shim ---------------------------------------------------------------------

struct fake_shim {
  using promise = caf::typed_response_promise<msg::shim_answer>;

  std::map<shim::process_key, shim::record> records;
  std::map<shim::process_key, process_owner_actor> owners;
  std::vector<sync_listener_actor> listeners;
  bool synced = true;
  /// verb -> the reply that it gets from now on.
  std::map<std::string, shim::reply> refusals;
  /// Verbs that are carried out but get no reply until `release`.
  std::set<std::string> held;
  std::vector<promise> holding;
  /// Verbs that are neither carried out nor answered.
  std::set<std::string> lost;
  /// Signals that a process dies of, unless it is frozen.
  std::set<int> deadly{SIGKILL};
  std::int32_t next_pid = 1000;
  shim::log_options last_log;
  shim::process_key last_target;
};

inline std::string verb_of(const shim::request& x) {
  return std::string{shim::name_of(x)};
}

/// A failing step, as the shim replies it.
inline shim::reply step_reply(plan::phase in, std::uint32_t index,
                              std::int32_t os_errno, std::string subject) {
  auto out = shim::reply{};
  out.fault = static_cast<std::uint8_t>(fault::os);
  out.has_step = true;
  out.step = {static_cast<std::uint8_t>(in), index, os_errno,
              std::move(subject)};
  return out;
}

inline shim::reply plain_reply(fault code, std::string what) {
  auto out = shim::reply{};
  out.fault = static_cast<std::uint8_t>(code);
  out.what = std::move(what);
  return out;
}

// -- event log ----------------------------------------------------------------

struct fake_events {
  std::vector<msg::event> all;
  std::set<std::string> once;
  std::optional<failure> failing;
  std::optional<caf::typed_response_promise<msg::events_committed>> held;
  bool hold = false;
};

// -- listeners ----------------------------------------------------------------

/// Someone who waits for a container's end; what it was told is in `told`.
exit_listener_actor
spawn_exit_listener(caf::actor_system& system,
                    std::shared_ptr<std::vector<msg::snapshot>> told);

exec_listener_actor
spawn_exec_listener(caf::actor_system& system,
                    std::shared_ptr<std::vector<msg::exec_snapshot>> told);

} // namespace troupe::test
