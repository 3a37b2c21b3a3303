#include "config/base/quote.hpp"
#include "programs/troupe/command.hpp"
#include "programs/troupe/line_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace troupe::client {

namespace {

using nlohmann::json;

struct events_request {
  std::int64_t since = 0;
  bool follow = false;
  std::vector<std::string> containers;
  std::vector<std::string> types;
  std::vector<std::string> filters;
  std::string format;
};

/// `12  2026-…Z  web-1  exited  exit_code=3 oom_killed=false`
std::string event_text(const json& event) {
  auto out = std::to_string(event.value("seq", std::int64_t{0})) + "  "
             + event.value("time", std::string{}) + "  "
             + event.value("container", std::string{}) + "  "
             + event.value("type", std::string{});
  for (const auto& [key, value] : event.items())
    if (key != "seq" && key != "time" && key != "container" && key != "type")
      out += "  " + key + '='
             + (value.is_string() ? value.get<std::string>() : value.dump());
  return out + '\n';
}

std::string joined_words(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& each : words)
    out += (out.empty() ? "" : ",") + each;
  return out;
}

/// docker's way to say --container and --type.
outcome apply_filters(events_request& x) {
  for (const auto& each : x.filters) {
    const auto mark = std::min(each.find('='), each.size());
    const auto key = each.substr(0, mark);
    const auto value = each.substr(std::min(mark + 1, each.size()));
    if (key == "container")
      x.containers.push_back(value);
    else if (key == "type" || key == "event")
      x.types.push_back(value);
    else
      return fail(fault::invalid_config,
                  "--filter " + quote(each)
                    + ": expected container=ID, type=TYPE or event=TYPE");
  }
  return {};
}

outcome events(const context& with, events_request x) {
  TROUPE_CHECK(apply_filters(x));
  auto target = "/v1/events?since=" + std::to_string(x.since);
  if (x.follow)
    target += "&follow=1";
  if (!x.containers.empty())
    target += "&container=" + url_encoded(joined_words(x.containers));
  if (!x.types.empty())
    target += "&type=" + url_encoded(joined_words(x.types));
  line_reader lines;
  auto api = with.api();
  return api.stream(target, [&](std::string_view bytes) {
    lines.feed(bytes, [&](const std::string& line) {
      if (line.empty())
        return;
      if (x.format == "json")
        print(line + '\n');
      else
        print(event_text(json::parse(line, nullptr, false)));
    });
    return std::fflush(stdout) == 0;
  });
}

} // namespace

void add_events_command(CLI::App& app, context& with) {
  auto request = std::make_shared<events_request>();
  auto* command = app.add_subcommand("events", "Print the event log");
  command
    ->add_option("--since", request->since,
                 "Only events after this sequence number")
    ->check(CLI::NonNegativeNumber);
  command->add_flag("-f,--follow", request->follow, "Go on with new ones");
  command
    ->add_option("--container", request->containers,
                 "Of this one only; repeated: of any of them")
    ->allow_extra_args(false);
  command
    ->add_option("--type", request->types,
                 "Of this type only: created, started, exited, oom…; repeated: "
                 "of any of them")
    ->allow_extra_args(false);
  command
    ->add_option("--filter", request->filters,
                 "container=ID or type=TYPE, as the two options above")
    ->allow_extra_args(false);
  add_format(*command, request->format);
  command->callback([&with, request] {
    with.action = [&with, request] {
      const auto did = events(with, *request);
      return did ? 0 : complain(did.error());
    };
  });
}

} // namespace troupe::client
