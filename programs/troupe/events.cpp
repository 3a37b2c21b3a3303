#include "config/base/quote.hpp"
#include "programs/troupe/command.hpp"
#include "programs/troupe/line_reader.hpp"
#include "programs/troupe/nodes.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::client {

namespace {

using nlohmann::json;

struct events_request {
  std::int64_t since = 0;
  bool follow = false;
  bool all_nodes = false;
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

/// `node`: whose events they are; empty: the supervisor's.
outcome print_events(api_client& api, const std::string& target,
                     const events_request& x, const std::string& node) {
  line_reader lines;
  return api.stream(target, [&](std::string_view bytes) {
    lines.feed(bytes, [&](const std::string& line) {
      if (line.empty())
        return;
      auto event = json::parse(line, nullptr, false);
      if (!node.empty())
        event["node"] = node;
      print(x.format != "json" ? event_text(event)
            : node.empty()     ? line + '\n'
                               : event.dump() + '\n');
    });
    return std::fflush(stdout) == 0;
  });
}

/// Each node's in their order; those of different nodes as they come.
outcome print_all_nodes(const context& with, const std::string& target,
                        const events_request& x) {
  TROUPE_TRY(const auto all, with.api().get("/v1/nodes"));
  std::vector<std::pair<std::string, std::future<outcome>>> printers;
  for (const auto& each : all) {
    const auto name = each.at("name").get<std::string>();
    if (each.at("state") != "left")
      printers.emplace_back(
        name, std::async(std::launch::async, [&with, &target, &x, name] {
          api_client api{with.socket, name};
          return print_events(api, target + "&" + node_timeout, x, name);
        }));
  }
  outcome out;
  for (auto& [name, printer] : printers)
    if (auto printed = printer.get(); !printed) {
      complain(std::move(printed).error().during("node " + name));
      out = fail(fault::node_unreachable, "not all nodes have told everything");
    }
  return out;
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
  if (x.all_nodes)
    return print_all_nodes(with, target, x);
  auto api = with.api();
  return print_events(api, target, x, {});
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
  command->add_flag("--all-nodes", request->all_nodes,
                    "Of every node of the cluster; each has its own numbers");
  add_format(*command, request->format);
  command->callback([&with, request] {
    with.action = [&with, request] {
      const auto did = events(with, *request);
      return did ? 0 : complain(did.error());
    };
  });
}

} // namespace troupe::client
