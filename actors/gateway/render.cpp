#include "actors/gateway/render.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

namespace troupe::gateway {

namespace {

using nlohmann::json;

json moment(time_ns at) {
  return at == 0 ? json{} : json(rfc3339(at));
}

json annotations(const msg::snapshot& x) {
  auto out = json::object();
  const auto size = std::min(x.annotation_keys.size(),
                             x.annotation_values.size());
  for (std::size_t i = 0; i < size; ++i)
    out[x.annotation_keys[i]] = x.annotation_values[i];
  return out;
}

std::string file_of(const std::string& files, const char* name) {
  return files.empty() ? files : files + name;
}

bool has_ended(lifecycle::status x) {
  return x == lifecycle::status::stopped || x == lifecycle::status::destroyed;
}

std::string_view status_name(msg::exec_status x) {
  constexpr std::array<std::string_view, 4> names{"creating", "created",
                                                  "running", "stopped"};
  return names.at(static_cast<std::size_t>(x));
}

json document(const msg::snapshot& x) {
  // A braced list would copy each pair: twice the time, for each container of a
  // list.
  json::object_t out;
  const auto put = [&out](const char* name, auto&& value) {
    out.emplace(name, std::forward<decltype(value)>(value));
  };
  put("id", x.id);
  put("status", lifecycle::to_string(x.status));
  put("pid", x.pid);
  put("exit_code", has_ended(x.status) ? json(x.exit_code) : json{});
  put("exit_signal", x.exit_signal);
  put("oom_killed", x.oom_killed);
  put("oom_kills", x.oom_kills);
  put("error", x.error);
  put("bundle", x.bundle);
  put("rootfs", x.rootfs);
  put("args", x.args);
  put("hostname", x.hostname);
  put("cgroup", x.cgroup);
  put("created", moment(x.created));
  put("started", moment(x.started));
  put("finished", moment(x.finished));
  put("log_path", x.log_path);
  put("log_driver", x.log_driver);
  put("log_mode", x.log_mode);
  put("log_bytes", x.output.logged);
  put("log_dropped", x.output.dropped);
  put("log_error", x.output.error);
  put("output", counters(x.output));
  put("attach_socket", file_of(x.files, "attach"));
  put("pid_file", file_of(x.files, "pid"));
  put("exit_file", file_of(x.files, "exit"));
  put("auto_remove", x.auto_remove);
  put("stdin_open", x.stdin_open);
  put("terminal", x.terminal);
  put("annotations", annotations(x));
  put("waiting_for", x.waiting_for);
  put("waiting_since", moment(x.waiting_since));
  put("execs", x.execs);
  return out;
}

} // namespace

json counters(const msg::output_counters& x) {
  auto drops = json::object();
  for (const auto& each : x.drops)
    drops[each.reason] = each.bytes;
  return {
    {"bytes", x.bytes_in},  {"logged", x.logged},
    {"dropped", x.dropped}, {"dropped_by_reason", drops},
    {"clients", x.clients}, {"clients_dropped", x.clients_dropped},
  };
}

std::string render(const msg::snapshot& x) {
  return dump(document(x));
}

std::string render(const msg::done&) {
  return "{}";
}

std::string render(const msg::exec_snapshot& x) {
  const auto ended = x.status == msg::exec_status::stopped;
  return dump({
    {"container", x.container},
    {"id", x.id},
    {"status", status_name(x.status)},
    {"pid", x.pid},
    {"exit_code", ended ? json(x.exit_code) : json{}},
    {"exit_signal", x.exit_signal},
    {"error", x.error},
    {"args", x.args},
    {"terminal", x.terminal},
    {"timed_out", x.timed_out},
    {"output", counters(x.output)},
    {"attach_socket", file_of(x.files, "attach")},
    {"pid_file", file_of(x.files, "pid")},
    {"exit_file", file_of(x.files, "exit")},
    {"created", moment(x.created)},
    {"started", moment(x.started)},
    {"finished", moment(x.finished)},
  });
}

std::string render(const msg::process_list& x) {
  auto out = json::array();
  for (const auto& each : x.all)
    out.push_back({{"pid", each.pid},
                   {"ppid", each.ppid},
                   {"inner_pid", each.inner_pid},
                   {"uid", each.uid},
                   {"state", each.state},
                   {"cpu_ms", each.cpu_ms},
                   {"rss", each.rss},
                   {"command", each.command}});
  return dump(out);
}

std::string render(const msg::event& x) {
  auto out = json::parse(x.data, nullptr, false);
  if (!out.is_object())
    out = json::object();
  out["seq"] = x.seq;
  out["time"] = moment(x.time);
  out["container"] = x.container;
  out["type"] = x.type;
  return dump(out);
}

std::string render(const msg::host_info& x) {
  return dump({
    {"version", x.version},
    {"pid", x.pid},
    {"shim_pid", x.shim_pid},
    {"shim_version", x.shim_version},
    {"spare_launchers", x.spare_launchers},
    {"started", moment(x.started)},
    {"root", x.root},
    {"state", x.state},
    {"kernel", x.kernel},
    {"cgroup_mode", x.cgroup_mode},
    {"cgroup_parent", x.cgroup_parent},
    {"containers", x.containers},
    {"running", x.running},
    {"paused", x.paused},
    {"stopped", x.stopped},
    {"last_seq", x.last_seq},
  });
}

std::string render_version() {
  return dump({{"version", TROUPE_VERSION}, {"api", 1}});
}

std::string dump(const nlohmann::json& x) {
  return x.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace troupe::gateway
