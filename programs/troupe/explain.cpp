#include "runtime/compile/explain.hpp"

#include "actors/lifecycle.hpp"
#include "config/oci/parse.hpp"
#include "config/run_options.hpp"
#include "programs/troupe/command.hpp"
#include "programs/troupe/table.hpp"
#include "runtime/compile/compile.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/probe/host.hpp"

#include <filesystem>
#include <memory>

namespace troupe::client {

namespace {

struct explain_request {
  std::string bundle;
  std::string rootfs;
  std::string container;
  std::string id = "ID";
  bool lifecycle = false;
  std::string format;
};

constexpr std::size_t config_limit = 16U << 20U;

result<plan::launch_plan> plan_of(const explain_request& x) {
  const auto bundle = std::filesystem::absolute(x.rootfs.empty() ? x.bundle
                                                                 : x.rootfs)
                        .lexically_normal()
                        .string();
  auto spec = default_spec(bundle);
  if (x.rootfs.empty()) {
    TROUPE_TRY(const auto text,
               sys::read_file(AT_FDCWD, bundle + "/config.json", config_limit));
    TROUPE_TRY(spec, oci::parse(std::string_view{text}));
  } else {
    spec.process->args = {"CMD"};
  }
  TROUPE_CHECK(oci::validate(spec));
  return plan::compile(spec, sys::probe_host("/troupe"), x.id, bundle);
}

std::string lifecycle_text(const std::string& format) {
  using namespace lifecycle;
  auto rows = nlohmann::json::array();
  table lines{{"FROM", "OPERATION", "TO"}};
  std::string graph
    = "digraph lifecycle {\n  rankdir=LR;\n  node [shape=box];\n";
  for (const auto& x : transitions) {
    const std::string from{to_string(x.from)};
    const std::string on{to_string(x.on)};
    const std::string to{to_string(x.to)};
    rows.push_back({{"from", from}, {"operation", on}, {"to", to}});
    lines.add({from, on, to});
    graph += "  ";
    graph.append(from).append(" -> ").append(to);
    graph.append(" [label=\"").append(on).append("\"];\n");
  }
  if (format == "json")
    return rows.dump() + '\n';
  return format == "dot" ? graph + "}\n" : lines.str();
}

int explain(const context& with, const explain_request& x) {
  if (x.lifecycle) {
    print(lifecycle_text(x.format));
    return 0;
  }
  if (x.format == "dot")
    return complain(
      {fault::invalid_config, 0, "--format dot goes with --lifecycle"});
  if (!x.container.empty()) {
    auto api = with.api();
    const auto steps = api.get(container_path(x.container, "/plan"));
    if (!steps)
      return complain(steps.error());
    print(*steps);
    return 0;
  }
  if (x.bundle.empty() == x.rootfs.empty())
    return complain({fault::invalid_config, 0,
                     "one of BUNDLE, --rootfs DIR, --container ID and "
                     "--lifecycle is needed"});
  const auto compiled = plan_of(x);
  if (!compiled)
    return complain(compiled.error());
  print(x.format == "json" ? plan::explain_json(*compiled) + '\n'
                           : plan::explain_table(*compiled));
  return 0;
}

} // namespace

void add_explain_command(CLI::App& app, context& with) {
  auto request = std::make_shared<explain_request>();
  auto* command = app.add_subcommand(
    "explain", "Show step by step what launching a bundle would do on this "
               "host, and which line of config.json asks for it; needs no "
               "supervisor");
  command->add_option("BUNDLE", request->bundle, "Directory with config.json");
  command->add_option("--rootfs", request->rootfs,
                      "A directory, as run --rootfs would take it");
  command->add_option("--container", request->container,
                      "The plan that a container was launched from");
  command->add_option("--id", request->id, "Id to compile for")
    ->capture_default_str();
  command->add_flag("--lifecycle", request->lifecycle,
                    "Show the container's state machine instead");
  add_format(*command, request->format, {"table", "json", "dot"});
  command->callback([&with, request] {
    with.action = [&with, request] { return explain(with, *request); };
  });
}

} // namespace troupe::client
