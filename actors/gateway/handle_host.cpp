#include "actors/gateway/handlers.hpp"
#include "actors/gateway/jobs.hpp"
#include "actors/gateway/targets.hpp"
#include "config/base/quote.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace troupe::gateway {

namespace {

result<std::string> checked_program(std::string path) {
  if (path.empty() || path.front() == '/')
    return path;
  return fail(fault::invalid_config,
              "program " + quote(path) + ": an absolute path is wanted");
}

} // namespace

outcome show_index(session& in, const call&) {
  auto list = nlohmann::json::array();
  for (const auto& row : routes())
    list.push_back(std::string{row.method} + ' ' + std::string{row.pattern});
  in.answer({200, dump({{"name", "troupe"},
                        {"version", TROUPE_VERSION},
                        {"api", 1},
                        {"routes", std::move(list)}})});
  return {};
}

outcome show_health(session& in, const call&) {
  in.answer({200, "ok\n", "text/plain"});
  return {};
}

outcome show_version(session& in, const call&) {
  in.answer({200, render_version()});
  return {};
}

outcome show_info(session& in, const call&) {
  forward<msg::host_info>(in, in.supervisor(), patience::lookup,
                          msg::describe_host{});
  return {};
}

outcome show_metrics(session& in, const call&) {
  in.ask<msg::usage_sampled>(
    in.with().sampler, patience::reading, msg::sample_usage{false},
    [&in](const msg::usage_sampled& used) {
      in.ask<msg::snapshots>(
        in.supervisor(), patience::lookup, msg::list_containers{},
        [&in, used](const msg::snapshots& all) {
          in.answer({200, render_metrics(*used.table, all),
                     "text/plain; version=0.0.4; charset=utf-8"});
        });
    });
  return {};
}

outcome show_usage(session& in, const call& x) {
  TROUPE_TRY(const auto stream, x.parameters.flag("stream"));
  if (stream) {
    stream_usage(in);
    return {};
  }
  in.ask<msg::usage_sampled>(in.with().sampler, patience::reading,
                             msg::sample_usage{true},
                             [&in](const msg::usage_sampled& used) {
                               in.answer({200, render(*used.table)});
                             });
  return {};
}

outcome upgrade_shim(session& in, const call& x) {
  TROUPE_TRY(auto program, checked_program(x.parameters.text("program")));
  forward<msg::host_info>(in, in.supervisor(), patience::upgrading,
                          msg::upgrade_shim{std::move(program)});
  return {};
}

outcome shut_down(session& in, const call& x) {
  const std::chrono::milliseconds usual{in.with().settings->stop_timeout_ms};
  TROUPE_TRY(const auto containers, x.parameters.flag("stop_containers"));
  TROUPE_TRY(const auto grace, x.parameters.seconds("timeout", usual));
  in.ask<msg::done>(in.supervisor(), patience::stopping(grace),
                    msg::shut_down{containers, grace}, [&in](const msg::done&) {
                      in.answer({200, "{}"});
                    });
  return {};
}

outcome show_events(session& in, const call& x) {
  TROUPE_TRY(auto what, parse_event_request(x.parameters));
  stream_events(in, std::move(what));
  return {};
}

} // namespace troupe::gateway
