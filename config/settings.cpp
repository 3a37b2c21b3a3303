#include "config/settings.hpp"

#include "config/base/quote.hpp"
#include "config/json/checks.hpp"
#include "config/json/fields.hpp"
#include "config/log_choice.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace troupe {

template <class Io>
void fields(Io& io, cluster_settings& x) {
  io.optional("listen", x.listen);
  io.optional("address", x.address);
  io.optional("join", x.join);
  io.optional("ca", x.ca);
  io.optional("certificate", x.certificate);
  io.optional("key", x.key);
  io.optional("labels", x.labels);
  io.optional("heartbeat_ms", x.heartbeat_ms);
  io.optional("suspect_after_ms", x.suspect_after_ms);
  io.optional("down_after_ms", x.down_after_ms);
}

/// Unknown keys are mistakes here, too.
outcome read(const json::cursor& at, cluster_settings& out) {
  json::reader io{at};
  fields(io, out);
  return std::move(io).done_strictly();
}

template <class Io>
void fields(Io& io, settings& x) {
  io.optional("root", x.root);
  io.optional("state", x.state);
  io.optional("socket", x.socket);
  io.optional("shim", x.shim);
  io.optional("cgroup_parent", x.cgroup_parent);
  io.optional("systemd_cgroup", x.systemd_cgroup);
  io.optional("log_level", x.log_level);
  io.optional("log_format", x.log_format);
  io.optional("threads", x.threads);
  io.optional("spare_launchers", x.spare_launchers);
  io.optional("log_driver", x.log_driver);
  io.optional("log_max_size", x.log_max_size);
  io.optional("log_max_files", x.log_max_files);
  io.optional("replay_size", x.replay_size);
  io.optional("stop_timeout_ms", x.stop_timeout_ms);
  io.optional("launch_timeout_ms", x.launch_timeout_ms);
  io.optional("freeze_timeout_ms", x.freeze_timeout_ms);
  io.optional("launches_at_once", x.launches_at_once);
  io.optional("launch_queue", x.launch_queue);
  io.optional("event_max_count", x.event_max_count);
  io.optional("event_max_age_s", x.event_max_age_s);
  io.optional("cluster", x.cluster);
}

namespace {

constexpr std::array<std::string_view, 6> log_levels{"trace", "debug", "info",
                                                     "warn",  "error", "off"};
constexpr std::array<std::string_view, 2> log_formats{"text", "json"};

struct path_row {
  std::string_view key;
  std::string settings::*path;
  bool may_be_empty;
};

constexpr std::array paths{
  path_row{"root", &settings::root, false},
  path_row{"state", &settings::state, false},
  path_row{"socket", &settings::socket, true},
  path_row{"shim", &settings::shim, true},
  path_row{"cgroup_parent", &settings::cgroup_parent, false},
};

outcome check_paths(const settings& x) {
  for (const auto& [key, path, may_be_empty] : paths) {
    const auto& value = x.*path;
    const auto at = json::pointer{} / key;
    if (!(value.empty() && may_be_empty))
      TROUPE_CHECK(json::check_absolute(at, value));
    if ((value + '/').find("/../") != value.npos)
      return json::refuse(at, "a path without '..'", quote(value));
  }
  return {};
}

outcome check_ranges(const settings& x) {
  struct row {
    std::string_view key;
    std::int64_t value;
    std::int64_t least;
    std::int64_t most;
  };
  constexpr std::int64_t day_ms = 86'400'000;
  constexpr std::int64_t page = 4096;
  const std::array rows{
    row{"threads", x.threads, 1, 1024},
    row{"spare_launchers", x.spare_launchers, 0, 16},
    row{"log_max_size", x.log_max_size, page, std::int64_t{1} << 40},
    row{"log_max_files", x.log_max_files, 0, 1000},
    row{"replay_size", x.replay_size, 0, 16 << 20},
    row{"stop_timeout_ms", x.stop_timeout_ms, 0, day_ms},
    row{"launch_timeout_ms", x.launch_timeout_ms, 1, day_ms},
    row{"freeze_timeout_ms", x.freeze_timeout_ms, 1, day_ms},
    row{"launches_at_once", x.launches_at_once, 1, 4096},
    row{"launch_queue", x.launch_queue, 0, 1 << 20},
    row{"event_max_count", x.event_max_count, 1, std::int64_t{1} << 40},
    row{"event_max_age_s", x.event_max_age_s, 0, std::int64_t{1} << 32},
  };
  for (const auto& [key, value, least, most] : rows)
    TROUPE_CHECK(json::check_range(json::pointer{} / key, value, least, most));
  return {};
}

/// What a reload changes. The rest was used up at the start: threads and
/// sockets are there, the shim runs.
constexpr std::array<std::string_view, 8> reloaded{
  "log_level",   "log_driver",      "log_max_size",      "log_max_files",
  "replay_size", "stop_timeout_ms", "launch_timeout_ms", "freeze_timeout_ms"};

/// Every setting with its value as text.
struct listing {
  std::vector<std::pair<std::string_view, std::string>> all;

  void optional(std::string_view key, const std::string& x) {
    all.emplace_back(key, quote(x));
  }
  void optional(std::string_view key, cluster_settings& x) {
    json::writer out;
    fields(out, x);
    all.emplace_back(key, std::move(out).done().dump());
  }
  template <class T>
  void optional(std::string_view key, const T& x) {
    all.emplace_back(key, std::to_string(x));
  }
};

listing list(settings x) {
  listing out;
  fields(out, x);
  return out;
}

} // namespace

outcome validate(const settings& x) {
  TROUPE_CHECK(check_paths(x));
  TROUPE_CHECK(
    json::check_word(json::pointer{"/log_level"}, x.log_level, log_levels));
  TROUPE_CHECK(
    json::check_word(json::pointer{"/log_format"}, x.log_format, log_formats));
  TROUPE_CHECK(json::check_word(json::pointer{"/log_driver"}, x.log_driver,
                                log_drivers_of_all));
  TROUPE_CHECK(validate(x.cluster));
  return check_ranges(x);
}

outcome check_reload(const settings& now, const settings& next) {
  const auto before = list(now).all;
  const auto after = list(next).all;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto& [key, value] = before[i];
    if (value == after[i].second
        || std::ranges::find(reloaded, key) != reloaded.end())
      continue;
    return fail(fault::invalid_config, "/" + std::string{key} + ": from "
                                         + value + " to " + after[i].second
                                         + " takes a restart");
  }
  return {};
}

result<settings> parse_settings(std::string_view text, settings base) {
  TROUPE_TRY(const auto document, json::parse(text));
  const json::cursor at{document};
  json::reader io{at};
  fields(io, base);
  TROUPE_CHECK(std::move(io).done_strictly());
  TROUPE_CHECK(validate(base));
  return base;
}

} // namespace troupe
