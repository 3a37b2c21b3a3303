#include "programs/troupe/command.hpp"
#include "programs/troupe/line_reader.hpp"

#include <cstdint>
#include <cstdio>
#include <memory>

namespace troupe::client {

namespace {

using nlohmann::json;

struct events_request {
  std::int64_t since = 0;
  bool follow = false;
  std::string container;
  std::string type;
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

outcome events(const context& with, const events_request& x) {
  auto target = "/v1/events?since=" + std::to_string(x.since);
  if (x.follow)
    target += "&follow=1";
  if (!x.container.empty())
    target += "&container=" + url_encoded(x.container);
  if (!x.type.empty())
    target += "&type=" + url_encoded(x.type);
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
  command->add_option("--container", request->container, "Of this one only");
  command->add_option("--type", request->type,
                      "Of this type only: created, started, exited, oom…");
  add_format(*command, request->format);
  command->callback([&with, request] {
    with.action = [&with, request] {
      const auto did = events(with, *request);
      return did ? 0 : complain(did.error());
    };
  });
}

} // namespace troupe::client
