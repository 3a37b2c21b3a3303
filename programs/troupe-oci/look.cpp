#include "programs/troupe-oci/command.hpp"
#include "runtime/oci/documents.hpp"
#include "runtime/oci/events.hpp"
#include "runtime/oci/ps.hpp"

#include <charconv>
#include <cstdio>

namespace troupe::oci_cli {

namespace {

void add_state(CLI::App& app, context& with) {
  auto made = add_command<one_container>(
    app, "state", "Print the state of a container as JSON",
    "status is creating, created, running, paused or stopped; pid is 0 when "
    "stopped.\n\nExample:\n  troupe-oci state web");
  add_id(*made.app, made.arguments->id);
  made.does(with, [](context& in, const one_container& x) -> result<int> {
    TROUPE_TRY(const auto found,
               oci_runtime::look_in_passing(in.runtime().store, x.id));
    print(oci_runtime::state_text(found));
    return 0;
  });
}

struct list_arguments {
  std::string format = "table";
  bool quiet = false;
};

result<int> list(context& in, const list_arguments& x) {
  TROUPE_TRY(const auto all, oci_runtime::look_at_all(in.runtime().store));
  for (const auto& each : all)
    if (!each.container)
      in.log.warn(each.container.error().what);
  if (!x.quiet) {
    print(x.format == "json" ? oci_runtime::list_json(all)
                             : oci_runtime::list_table(all));
    return 0;
  }
  for (const auto& each : all)
    print(each.id + '\n');
  return 0;
}

void add_list(CLI::App& app, context& with) {
  auto made = add_command<list_arguments>(
    app, "list", "List the containers of this root",
    "Examples:\n  troupe-oci list\n  troupe-oci --root /run/other list -q");
  made.app->add_option("-f,--format", made.arguments->format, "How to print")
    ->check(CLI::IsMember({"table", "json"}))
    ->capture_default_str();
  made.app->add_flag("-q,--quiet", made.arguments->quiet, "Ids only");
  made.does(with, list);
}

struct ps_arguments {
  std::string id;
  std::string format = "table";
};

result<int> ps(context& in, const ps_arguments& x) {
  TROUPE_TRY(const auto found,
             oci_runtime::look_in_passing(in.runtime().store, x.id));
  if (x.format == "json") {
    TROUPE_TRY(const auto pids, oci_runtime::processes(found));
    print(oci_runtime::pids_json(pids));
    return 0;
  }
  TROUPE_TRY(const auto table, oci_runtime::process_table(found, in.rest));
  print(table);
  return 0;
}

void add_ps(CLI::App& app, context& with) {
  auto made = add_command<ps_arguments>(
    app, "ps", "List the processes of a container",
    "troupe-oci ps [OPTIONS] CONTAINER [PS OPTIONS]\n\nOptions behind "
    "CONTAINER are ps(1)'s; without any: -ef.\n\nExamples:\n"
    "  troupe-oci ps web\n  troupe-oci ps web -o pid,comm");
  made.app->add_option("-f,--format", made.arguments->format, "How to print")
    ->check(CLI::IsMember({"table", "json"}))
    ->capture_default_str();
  add_id(*made.app, made.arguments->id);
  made.does(with, ps);
}

struct events_arguments {
  std::string id;
  std::string interval = "5s";
  bool stats = false;
};

/// A duration as Go writes it, of one unit: `5s`, `500ms`, `1m`.
result<std::chrono::milliseconds> parse_interval(const std::string& text) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  const auto unit = std::string_view{at, static_cast<std::size_t>(end - at)};
  const auto scale = unit == "ms"                  ? 1.0
                     : unit == "s" || unit.empty() ? 1000.0
                     : unit == "m"                 ? 60'000.0
                     : unit == "h"                 ? 3'600'000.0
                                                   : 0.0;
  const auto ms = value * scale;
  if (error != std::errc{} || ms < 1 || ms > 86'400'000)
    return fail(fault::invalid_config,
                "--interval: expected 1ms to 24h, found " + text);
  return std::chrono::milliseconds{static_cast<std::int64_t>(ms)};
}

result<int> events(context& in, const events_arguments& x) {
  TROUPE_TRY(const auto interval, parse_interval(x.interval));
  TROUPE_TRY(const auto found,
             oci_runtime::look_in_passing(in.runtime().store, x.id));
  TROUPE_TRY(const auto now, oci_runtime::stats_event(found));
  if (x.stats) {
    print(now);
    return 0;
  }
  return done(oci_runtime::watch_events(found, interval, [](std::string line) {
    print(line);
    std::fflush(stdout);
  }));
}

void add_events(CLI::App& app, context& with) {
  auto made = add_command<events_arguments>(
    app, "events",
    "Print counters and OOM notices of a container, a JSON "
    "object in each line",
    "Ends with the container.\n\nExamples:\n  troupe-oci events --stats web\n"
    "  troupe-oci events --interval 1s web");
  made.app
    ->add_option("--interval", made.arguments->interval,
                 "Between two looks at the counters")
    ->capture_default_str();
  made.app->add_flag("--stats", made.arguments->stats, "One look, and the end");
  add_id(*made.app, made.arguments->id);
  made.does(with, events);
}

} // namespace

void add_look_commands(CLI::App& app, context& with) {
  add_state(app, with);
  add_list(app, with);
  add_ps(app, with);
  add_events(app, with);
}

} // namespace troupe::oci_cli
