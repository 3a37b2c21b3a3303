#include "config/oci/parse.hpp"
#include "programs/limit_options.hpp"
#include "programs/troupe/command.hpp"

#include <memory>

namespace troupe::client {

namespace {

constexpr auto update_footer
  = "All is changed, or nothing: when the kernel refuses one value, the others "
    "get their old ones\nback. --resources takes linux.resources of "
    "config.json; the other options are ignored then.\n\n"
    "  troupe update --memory 64m --pids-limit 100 web\n"
    "  echo '{\"cpu\":{\"shares\":512}}' | troupe update -r - web db";

struct update_request {
  std::vector<std::string> ids;
  cli::limit_options limits;
};

result<nlohmann::json> document_of(const cli::limit_options& x) {
  if (x.file.empty()) {
    TROUPE_TRY(const auto limits, cli::limits_of(x));
    return oci::to_json(limits);
  }
  TROUPE_TRY(const auto text, cli::read_limits(x));
  auto out = nlohmann::json::parse(text, nullptr, false);
  if (out.is_discarded())
    return fail(fault::invalid_config, x.file + ": not a JSON document");
  return out;
}

int update(const context& with, const update_request& x) {
  const auto document = document_of(x.limits);
  if (!document)
    return complain(document.error());
  auto api = with.api();
  return for_each(x.ids, [&](const std::string& id) -> outcome {
    TROUPE_CHECK(api.post(container_path(id, "/update"), *document));
    return {};
  });
}

} // namespace

void add_update_command(CLI::App& app, context& with) {
  auto request = std::make_shared<update_request>();
  auto* command = app.add_subcommand("update",
                                     "Change the limits of containers");
  command
    ->add_option("CONTAINER", request->ids,
                 "Ids, or their unambiguous beginnings")
    ->required();
  cli::add_limit_options(*command, request->limits);
  command->footer(update_footer);
  command->callback([&with, request] {
    with.action = [&with, request] { return update(with, *request); };
  });
}

} // namespace troupe::client
