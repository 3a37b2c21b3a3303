#include "programs/troupe-oci/command.hpp"
#include "runtime/oci/documents.hpp"

namespace troupe::oci_cli {

namespace {

void add_state(CLI::App& app, context& with) {
  auto made = add_command<one_container>(
    app, "state", "Print the state of a container as JSON",
    "status is creating, created, running, paused or stopped; pid is 0 when "
    "stopped.\n\nExample:\n  troupe-oci state web");
  add_id(*made.app, made.arguments->id);
  made.does(with, [](context& in, const one_container& x) -> result<int> {
    TROUPE_TRY(const auto found, oci_runtime::look(in.runtime().store, x.id));
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

} // namespace

void add_look_commands(CLI::App& app, context& with) {
  add_state(app, with);
  add_list(app, with);
}

} // namespace troupe::oci_cli
