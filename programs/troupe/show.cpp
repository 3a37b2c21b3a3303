#include "config/base/clock.hpp"
#include "programs/troupe/command.hpp"
#include "programs/troupe/nodes.hpp"
#include "programs/troupe/table.hpp"

#include <memory>

namespace troupe::client {

namespace {

using nlohmann::json;

time_ns moment(const json& of, const char* key) {
  const auto at = of.find(key);
  if (at == of.end() || !at->is_string())
    return 0;
  return parse_time(at->get<std::string>()).value_or(0);
}

std::string ago(time_ns at) {
  return at == 0 ? "-" : age(now_ns() - at) + " ago";
}

/// `running 5 minutes`, `stopped (3) 2 hours ago`.
std::string status_text(const json& container) {
  auto status = member_text(container, "status");
  if (status == "stopped")
    return status + " (" + member_text(container, "exit_code")
           + (container.value("oom_killed", false) ? ", OOM) " : ") ")
           + ago(moment(container, "finished"));
  if (const auto started = moment(container, "started"); started != 0)
    return status + ' ' + age(now_ns() - started);
  return status;
}

std::string command_text(const json& container, bool whole) {
  auto out = command_line(container);
  constexpr std::size_t shown = 30;
  if (!whole && out.size() > shown)
    out = out.substr(0, shown - 1) + "…";
  return out;
}

/// As the commands take it.
std::string id_text(const json& container) {
  const auto node = container.value("node", std::string{});
  return (node.empty() ? "" : node + '/') + member_text(container, "id");
}

std::string containers_table(const json& all, bool whole) {
  table out{{"CONTAINER", "COMMAND", "CREATED", "STATUS", "PID", "BUNDLE"}};
  for (const auto& x : all) {
    const auto pid = x.value("pid", 0);
    out.add({id_text(x), command_text(x, whole), ago(moment(x, "created")),
             status_text(x), pid == 0 ? "-" : std::to_string(pid),
             member_text(x, "bundle")});
  }
  return out.str();
}

void add_ps(CLI::App& app, context& with) {
  struct request {
    bool all = false;
    bool quiet = false;
    bool whole = false;
    bool all_nodes = false;
    std::string format;
  };
  auto x = std::make_shared<request>();
  auto* command = app.add_subcommand("ps", "List containers");
  command->alias("ls");
  command->alias("list");
  command->add_flag("-a,--all", x->all, "Those that have ended too");
  command->add_flag("-q,--quiet", x->quiet, "Ids only");
  command->add_flag("--no-trunc", x->whole, "Whole command lines");
  command->add_flag("--all-nodes", x->all_nodes,
                    "Of every node of the cluster, as NODE/CONTAINER");
  add_format(*command, x->format);
  command->callback([&with, x] {
    with.action = [&with, x] {
      auto code = 0;
      const auto target = x->all ? "/v1/containers?all=1" : "/v1/containers";
      const auto all = x->all_nodes ? merged_lists(with, target, code)
                                    : with.api().get(target);
      if (!all)
        return complain(all.error());
      if (x->quiet)
        for (const auto& each : *all)
          print(id_text(each) + '\n');
      else if (x->format == "json")
        print(*all);
      else
        print(containers_table(*all, x->whole));
      return code;
    };
  });
}

std::string inspect_table(const json& container) {
  table out{{"PROPERTY", "VALUE"}};
  for (const auto& [key, value] : container.items())
    out.add({key, value.is_string() ? value.get<std::string>() : value.dump()});
  return out.str();
}

void add_inspect(CLI::App& app, context& with) {
  struct request {
    std::vector<std::string> ids;
    std::string format;
  };
  auto x = std::make_shared<request>();
  auto* command = app.add_subcommand(
    "inspect", "Show all that is known of containers: an object for one, an "
               "array for several");
  command->add_option("CONTAINER", x->ids, "Ids")->required();
  add_format(*command, x->format, {"json", "table"});
  command->callback([&with, x] {
    with.action = [&with, x] {
      auto api = with.api();
      auto found = json::array();
      auto code = 0;
      for (const auto& id : x->ids) {
        auto one = api.get(container_path(id));
        if (one)
          found.push_back(*std::move(one));
        else
          code = complain(one.error());
      }
      if (x->format == "table")
        for (const auto& each : found)
          print(inspect_table(each));
      else if (x->ids.size() != 1)
        print(found);
      else if (!found.empty())
        print(found.front());
      return code;
    };
  });
}

std::string top_table(const json& processes) {
  table out{{"PID", "INNER", "PPID", "UID", "STATE", "CPU", "RSS", "COMMAND"}};
  for (const auto& x : processes)
    out.add(
      {member_text(x, "pid"), member_text(x, "inner_pid"),
       member_text(x, "ppid"), member_text(x, "uid"), member_text(x, "state"),
       std::to_string(x.value("cpu_ms", std::int64_t{0})) + "ms",
       size_text(x.value("rss", std::int64_t{-1})), member_text(x, "command")});
  return out.str();
}

void add_top(CLI::App& app, context& with) {
  struct request {
    std::string id;
    std::string format;
  };
  auto x = std::make_shared<request>();
  auto* command = app.add_subcommand("top", "List a container's processes");
  command->add_option("CONTAINER", x->id, "Id")->required();
  add_format(*command, x->format);
  command->callback([&with, x] {
    with.action = [&with, x] {
      auto api = with.api();
      const auto processes = api.get(container_path(x->id, "/top"));
      if (!processes)
        return complain(processes.error());
      if (x->format == "json")
        print(*processes);
      else
        print(top_table(*processes));
      return 0;
    };
  });
}

} // namespace

void add_show_commands(CLI::App& app, context& with) {
  add_ps(app, with);
  add_inspect(app, with);
  add_top(app, with);
}

} // namespace troupe::client
