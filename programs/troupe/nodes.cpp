#include "programs/troupe/nodes.hpp"

#include "config/base/clock.hpp"
#include "programs/troupe/table.hpp"

#include <future>
#include <memory>
#include <utility>

namespace troupe::client {

namespace {

using nlohmann::json;

std::string labels_text(const json& labels) {
  std::string out;
  for (const auto& [key, value] : labels.items())
    out += (out.empty() ? "" : ",") + key + '=' + value.get<std::string>();
  return out.empty() ? "-" : out;
}

std::string nodes_table(const json& all) {
  constexpr time_ns ns_per_ms = 1'000'000;
  table out{{"NODE", "STATE", "FOR", "ADDRESS", "RUNNING", "FREE", "LABELS",
             "PROBLEM"}};
  for (const auto& x : all) {
    const auto is_self = x.value("self", false);
    const auto problem = x.value("problem", std::string{});
    const auto& load = x.at("load");
    out.add(
      {member_text(x, "name") + (is_self ? " *" : ""),
       member_text(x, "state")
         + (x.value("draining", false) ? ", drained" : ""),
       is_self ? "-" : age(x.value("state_for_ms", time_ns{0}) * ns_per_ms),
       member_text(x, "address"), member_text(load, "running"),
       size_text(load.value("memory_available", std::int64_t{0})),
       labels_text(x.value("labels", json::object())),
       problem.empty() ? "-" : problem});
  }
  return out.str();
}

} // namespace

result<std::vector<node_answer>> ask_all_nodes(const context& with,
                                               const std::string& target) {
  auto api = with.api();
  TROUPE_TRY(const auto all, api.get("/v1/nodes"));
  const auto sign = target.find('?') == target.npos ? "?" : "&";
  std::vector<std::pair<std::string, std::future<result<json>>>> asked;
  for (const auto& x : all) {
    const auto name = x.at("name").get<std::string>();
    const auto path = on_node(name, target) + sign + node_timeout;
    if (x.at("state") != "left")
      asked.emplace_back(name, std::async(std::launch::async, [&with, path] {
                           auto api = with.api();
                           return api.get(path);
                         }));
  }
  std::vector<node_answer> out;
  out.reserve(asked.size());
  for (auto& [name, answer] : asked)
    out.push_back({name, answer.get()});
  return out;
}

int each_answer(
  std::vector<node_answer> all,
  const std::function<void(const std::string& node, json& answer)>& take) {
  auto code = 0;
  for (auto& each : all)
    if (each.answer)
      take(each.node, *each.answer);
    else
      code = complain(
        std::move(each.answer).error().during("node " + each.node));
  return code;
}

result<json> merged_lists(const context& with, const std::string& target,
                          int& code) {
  TROUPE_TRY(auto answers, ask_all_nodes(with, target));
  auto out = json::array();
  code = each_answer(std::move(answers), [&](const auto& node, json& list) {
    for (auto& element : list) {
      element["node"] = node;
      out.push_back(std::move(element));
    }
  });
  return out;
}

namespace {

struct drain_request {
  std::string node;
  std::string timeout = "10";
  bool keep = false;
};

/// What is there ends as it wishes: the annotation troupe.drain is stop (that
/// of those that have none), move or keep.
std::string wish_of(const json& container) {
  return container.value("annotations", json::object())
    .value("troupe.drain", std::string{"stop"});
}

/// Makes the same container on another node, once it has ended on this one.
outcome move_container(const context& with, const json& container,
                       std::string& to) {
  auto api = with.api();
  const auto id = container.at("id").get<std::string>();
  TROUPE_TRY(const auto chosen, api.get("/v1/placement"));
  to = chosen.at("node").get<std::string>();
  TROUPE_TRY(const auto spec, api.get(container_path(id, "/config")));
  context there = with;
  there.node = to;
  auto others = there.api();
  TROUPE_CHECK(others.post("/v1/containers",
                           {{"id", id},
                            {"bundle", container.at("bundle")},
                            {"spec", spec},
                            {"auto_remove", container.at("auto_remove")}}));
  TROUPE_CHECK(others.post(container_path(id, "/start")));
  return {};
}

outcome drain_one(const context& with, const json& container,
                  const std::string& timeout) {
  auto api = with.api();
  const auto id = container.at("id").get<std::string>();
  const auto wish = wish_of(container);
  if (wish == "keep") {
    print(id + " stays\n");
    return {};
  }
  TROUPE_CHECK(api.post(container_path(id, "/stop?timeout=" + timeout)));
  if (wish != "move") {
    print(id + " is stopped\n");
    return {};
  }
  std::string to;
  if (auto moved = move_container(with, container, to); !moved)
    return fail(std::move(moved).error().during(id + " is stopped; move"));
  TROUPE_CHECK(api.del(container_path(id)));
  print(id + " runs on " + to + '\n');
  return {};
}

int drain(context with, const drain_request& x) {
  const auto seconds = parse_seconds(x.timeout);
  if (!seconds)
    return complain(seconds.error());
  with.node = x.node;
  auto api = with.api();
  if (const auto begun = api.post("/v1/drain"); !begun)
    return complain(begun.error());
  print("node " + x.node + " takes no new containers\n");
  if (x.keep)
    return 0;
  const auto all = api.get("/v1/containers");
  if (!all)
    return complain(all.error());
  auto code = 0;
  for (const auto& each : *all)
    if (auto done = drain_one(with, each, std::to_string(*seconds)); !done)
      code = complain(done.error());
  return code;
}

void add_drain(CLI::App& to, context& with) {
  auto x = std::make_shared<drain_request>();
  auto* command = to.add_subcommand(
    "drain", "Let a node take no new containers, and end those that it has");
  command->add_option("NODE", x->node, "Its name")->required();
  command
    ->add_option("-t,--time", x->timeout, "Seconds from SIGTERM to SIGKILL")
    ->capture_default_str();
  command->add_flag("--keep", x->keep, "Those that it has stay");
  command->footer(
    "A container's annotation troupe.drain says what becomes of it: stop "
    "(usual), keep, or\nmove: it is stopped, and the same begins on another "
    "node, where its bundle must be, too.\nThe node stays drained over "
    "restarts, until troupe node undrain.");
  command->callback(
    [&with, x] { with.action = [&with, x] { return drain(with, *x); }; });
}

void add_undrain(CLI::App& to, context& with) {
  auto name = std::make_shared<std::string>();
  auto* command = to.add_subcommand("undrain",
                                    "Let a node take containers again");
  command->add_option("NODE", *name, "Its name")->required();
  command->callback([&with, name] {
    with.action = [with, name]() mutable {
      with.node = *name;
      const auto did = with.api().post("/v1/undrain");
      return did ? 0 : complain(did.error());
    };
  });
}

void add_remove(CLI::App& to, context& with) {
  auto names = std::make_shared<std::vector<std::string>>();
  auto* command = to.add_subcommand("rm",
                                    "Forget nodes that are gone for good");
  command->add_option("NODE", *names, "Their names")->required();
  command->footer(
    "Of nodes that are down or have left. Who has left is forgotten by itself, "
    "after a day; who is\ndown is dialed until it is removed. One that lives "
    "after all, or is started again, comes back.");
  command->callback([&with, names] {
    with.action = [&with, names] {
      auto api = with.api();
      return for_each(*names, [&](const std::string& name) -> outcome {
        TROUPE_CHECK(api.del("/v1/nodes/" + url_encoded(name)));
        return {};
      });
    };
  });
}

} // namespace

void add_node_commands(CLI::App& app, context& with) {
  auto format = std::make_shared<std::string>();
  auto* command = app.add_subcommand("nodes", "List the nodes of the cluster");
  add_format(*command, *format);
  command->footer(
    "States: alive; suspect (silent for a while); down (silent for longer: its "
    "link is closed);\nleft (it has said so). `*` is the node that was "
    "asked.\n\n"
    "NODE/CONTAINER names a container of another node wherever a container is "
    "named, and --node\nhas a command done there:\n\n"
    "  troupe ps --all-nodes\n  troupe exec -it b/web sh\n  troupe run --node "
    "b "
    "--rootfs /srv/root -- /bin/true");
  command->callback([&with, format] {
    with.action = [&with, format] {
      auto api = with.api();
      const auto all = api.get("/v1/nodes");
      if (!all)
        return complain(all.error());
      if (*format == "json")
        print(*all);
      else
        print(nodes_table(*all));
      return 0;
    };
  });
  auto* node = app.add_subcommand("node", "Manage a node of the cluster");
  node->require_subcommand(1);
  add_drain(*node, with);
  add_undrain(*node, with);
  add_remove(*node, with);
}

result<std::string> choose_node(context& with, const placement_wish& x) {
  if (with.node != "auto")
    return std::string{};
  std::string constraints;
  for (const auto& each : x.constraints)
    constraints += (constraints.empty() ? "" : ",") + each;
  with.node.clear();
  TROUPE_TRY(const auto chosen,
             with.api().get("/v1/placement?strategy=" + x.strategy
                            + "&constraint=" + url_encoded(constraints)
                            + "&memory=" + std::to_string(x.memory)));
  with.node = chosen.at("node").get<std::string>();
  return chosen.at("node").get<std::string>() + ": "
         + chosen.at("why").get<std::string>();
}

/// Every command that speaks to a supervisor can speak to another one.
void add_node_option(CLI::App& app, context& with) {
  for (auto* each : app.get_subcommands([](const CLI::App*) { return true; })) {
    const auto name = each->get_name();
    if (name == "node" || name == "nodes" || name == "cluster"
        || name == "completion" || name == "explain")
      continue;
    each
      ->add_option("--node", with.node,
                   "Have it done by this node of the cluster")
      ->type_name("NODE");
    add_node_option(*each, with);
  }
}

} // namespace troupe::client
