#include "programs/limit_options.hpp"
#include "programs/troupe-oci/command.hpp"

namespace troupe::oci_cli {

namespace {

void add_pause(CLI::App& app, context& with) {
  auto made = add_command<one_container>(
    app, "pause", "Freeze every process of a container",
    "Returns once the kernel says that they are frozen.\n\nExample:\n"
    "  troupe-oci pause web");
  add_id(*made.app, made.arguments->id);
  made.does(with, [](context& in, const one_container& x) {
    return done(oci_runtime::pause(in.runtime(), x.id));
  });
}

void add_resume(CLI::App& app, context& with) {
  auto made = add_command<one_container>(app, "resume",
                                         "Thaw a paused container",
                                         "Example:\n  troupe-oci resume web");
  add_id(*made.app, made.arguments->id);
  made.does(with, [](context& in, const one_container& x) {
    return done(oci_runtime::resume(in.runtime(), x.id));
  });
}

struct update_arguments {
  std::string id;
  cli::limit_options limits;
  std::string l3_cache_schema;
  std::string mem_bw_schema;
};

result<oci::resources> resources_of(const cli::limit_options& x) {
  if (x.file.empty())
    return cli::limits_of(x);
  TROUPE_TRY(const auto text, cli::read_limits(x));
  auto out = oci_runtime::read_resources(text);
  return out ? out : fail(std::move(out).error().during(x.file));
}

result<int> update(context& in, const update_arguments& x) {
  if (!x.limits.kernel_memory.empty() || !x.limits.kernel_memory_tcp.empty())
    in.log.warn("--kernel-memory: no effect, the kernel has no such limit any "
                "more");
  if (!x.l3_cache_schema.empty() || !x.mem_bw_schema.empty())
    return fail(fault::unsupported, "--l3-cache-schema, --mem-bw-schema: not "
                                    "supported for a living container");
  TROUPE_TRY(auto resources, resources_of(x.limits));
  return done(oci_runtime::update(in.runtime(), x.id, std::move(resources)));
}

void add_update(CLI::App& app, context& with) {
  auto made = add_command<update_arguments>(
    app, "update", "Change the limits of a living container",
    "--resources takes linux.resources of config.json; the other options are "
    "ignored then.\nAll is changed, or nothing. Device rules stay as they "
    "are.\n\nExamples:\n  troupe-oci update --memory 64m --pids-limit 100 "
    "web\n  echo '{\"cpu\":{\"quota\":20000}}' | troupe-oci update "
    "--resources - web");
  auto& x = *made.arguments;
  cli::add_limit_options(*made.app, x.limits);
  made.app->add_option("--l3-cache-schema", x.l3_cache_schema, "Refused");
  made.app->add_option("--mem-bw-schema", x.mem_bw_schema, "Refused");
  add_id(*made.app, x.id);
  made.does(with, update);
}

} // namespace

void add_resource_commands(CLI::App& app, context& with) {
  add_pause(app, with);
  add_resume(app, with);
  add_update(app, with);
}

} // namespace troupe::oci_cli
