#include "actors/container_view.hpp"

#include "runtime/cgroup/stats.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace troupe {

namespace {

/// What an event of a type tells beside its time.
struct event_data {
  std::string_view type;
  void (*fill)(nlohmann::json& out, const msg::snapshot& x, std::int64_t n);
};

void error_of(nlohmann::json& out, const msg::snapshot& x, std::int64_t) {
  if (!x.error.empty())
    out["error"] = x.error;
}

void bundle_of(nlohmann::json& out, const msg::snapshot& x, std::int64_t) {
  out["bundle"] = x.bundle;
}

void pid_of(nlohmann::json& out, const msg::snapshot& x, std::int64_t) {
  out["pid"] = x.pid;
}

void kills_of(nlohmann::json& out, const msg::snapshot&, std::int64_t n) {
  out["oom_kills"] = n;
}

void exit_of(nlohmann::json& out, const msg::snapshot& x, std::int64_t n) {
  out["exit_code"] = x.exit_code;
  out["signal"] = x.exit_signal;
  out["oom_killed"] = x.oom_killed;
  error_of(out, x, n);
}

constexpr std::array data_of_types{
  event_data{"created", bundle_of}, event_data{"create_failed", error_of},
  event_data{"started", pid_of},    event_data{"oom", kills_of},
  event_data{"exited", exit_of},
};

std::string data_of(const msg::snapshot& x, std::string_view type,
                    std::int64_t n) {
  auto out = nlohmann::json::object();
  for (const auto& row : data_of_types)
    if (row.type == type)
      row.fill(out, x, n);
  // A path or an error may hold any bytes.
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// What state.json and a snapshot both hold.
template <class From, class To>
void copy_common(const From& from, To& to) {
  to.pid = from.pid;
  to.exit_code = from.exit_code;
  to.exit_signal = from.exit_signal;
  to.oom_killed = from.oom_killed;
  to.oom_kills = from.oom_kills;
  to.error = from.error;
  to.created = from.created;
  to.started = from.started;
  to.finished = from.finished;
  to.log_driver = from.log_driver;
  to.log_path = from.log_path;
  to.log_mode = from.log_mode;
  to.auto_remove = from.auto_remove;
  to.stdin_open = from.stdin_open;
}

} // namespace

store::state state_of(const msg::snapshot& x) {
  auto out = store::state{};
  out.id = x.id;
  out.status = to_string(x.status);
  out.bundle = x.bundle;
  copy_common(x, out);
  return out;
}

msg::snapshot snapshot_of(const store::state& x,
                          const plan::launch_plan& plan) {
  auto out = msg::snapshot{};
  out.id = x.id;
  out.status = lifecycle::status_named(x.status).value_or(
    lifecycle::status::creating);
  describe(out, plan);
  copy_common(x, out);
  return out;
}

void describe(msg::snapshot& x, const plan::launch_plan& plan) {
  x.bundle = plan.bundle;
  x.rootfs = plan.rootfs.path;
  x.args = plan.process.args;
  x.hostname = plan.hostname;
  x.terminal = plan.process.terminal;
  x.own_network = plan::has_own_network(plan.namespaces);
  x.cgroup = plan.cgroup.dirs.empty() ? "" : plan.cgroup.dirs.front().path;
  x.annotation_keys = plan.annotation_keys;
  x.annotation_values = plan.annotation_values;
}

bool note_output(msg::output_counters& x, const shim::record& from) {
  const auto& log = from.log;
  msg::output_counters now;
  now.bytes_in = log.bytes_in;
  now.logged = log.bytes_logged;
  now.dropped = log.bytes_dropped;
  for (const auto& each : log.drops)
    now.drops.push_back({std::string{errno_name(each.os_errno)}, each.bytes});
  if (log.last_errno != 0)
    now.error = errno_name(log.last_errno);
  now.clients = from.attached.clients;
  now.clients_dropped = from.attached.bytes_dropped;
  if (x == now)
    return false;
  x = std::move(now);
  return true;
}

std::string once_of(const std::string& id, time_ns created,
                    std::string_view type) {
  return (id + "@" + std::to_string(created) + "/").append(type);
}

msg::event event_of(const msg::snapshot& x, std::string_view type, time_ns time,
                    std::int64_t n) {
  auto once = once_of(x.id, x.created, type);
  if (n != 0)
    once += "/" + std::to_string(n);
  return {
    0, time, x.id, std::string{type}, data_of(x, type, n), std::move(once)};
}

msg::event oom_event_of(const msg::snapshot& x, time_ns time,
                        const cgroup::oom_origin& origin,
                        const sys::oom_report* told) {
  auto out = event_of(x, "oom", time, x.oom_kills);
  nlohmann::json data{{"oom_kills", x.oom_kills},
                      {"level", cgroup::to_string(origin.level)}};
  if (!origin.cgroup.empty())
    data["cgroup"] = origin.cgroup;
  if (origin.limit >= 0 && origin.limit != cgroup::no_limit)
    data["limit"] = origin.limit;
  if (told)
    data["victim"] = {{"pid", told->pid}, {"command", told->command}};
  out.data = data.dump(-1, ' ', false,
                       nlohmann::json::error_handler_t::replace);
  return out;
}

msg::event repeatable_event_of(const msg::snapshot& x, std::string_view type) {
  return {0, now_ns(), x.id, std::string{type}, data_of(x, type, 0), {}};
}

} // namespace troupe
