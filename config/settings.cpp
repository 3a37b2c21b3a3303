#include "config/settings.hpp"

#include "config/base/quote.hpp"
#include "config/json/fields.hpp"

#include <array>

namespace troupe {

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
  io.optional("log_max_size", x.log_max_size);
  io.optional("log_max_files", x.log_max_files);
  io.optional("stop_timeout_ms", x.stop_timeout_ms);
  io.optional("launch_timeout_ms", x.launch_timeout_ms);
  io.optional("freeze_timeout_ms", x.freeze_timeout_ms);
}

namespace {

constexpr std::array<std::string_view, 6> log_levels{"trace", "debug", "info",
                                                     "warn",  "error", "off"};
constexpr std::array<std::string_view, 2> log_formats{"text", "json"};

tl::unexpected<failure> refused(std::string_view key, std::string_view expected,
                                std::string_view found) {
  auto what = "/" + std::string{key} + ": expected ";
  what.append(expected).append(", found ").append(found);
  return fail(fault::invalid_config, std::move(what));
}

outcome check_word(std::string_view key, std::string_view value,
                   std::span<const std::string_view> allowed) {
  for (const auto word : allowed)
    if (word == value)
      return {};
  return refused(key, "one of " + joined(allowed), quote(value));
}

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
    const bool fits = value.empty() ? may_be_empty : value.starts_with('/');
    if (!fits)
      return refused(key, "an absolute path", quote(value));
    if ((value + '/').find("/../") != value.npos)
      return refused(key, "a path without '..'", quote(value));
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
    row{"stop_timeout_ms", x.stop_timeout_ms, 0, day_ms},
    row{"launch_timeout_ms", x.launch_timeout_ms, 1, day_ms},
    row{"freeze_timeout_ms", x.freeze_timeout_ms, 1, day_ms},
  };
  for (const auto& [key, value, least, most] : rows)
    if (value < least || value > most)
      return refused(key,
                     "an integer from " + std::to_string(least) + " to "
                       + std::to_string(most),
                     std::to_string(value));
  return {};
}

} // namespace

outcome validate(const settings& x) {
  TROUPE_CHECK(check_paths(x));
  TROUPE_CHECK(check_word("log_level", x.log_level, log_levels));
  TROUPE_CHECK(check_word("log_format", x.log_format, log_formats));
  return check_ranges(x);
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
