#include "programs/troupe-oci/command.hpp"

namespace troupe::oci_cli {

namespace {

/// Parsed and not used, so that a caller reads the refusal and no complaint
/// about an option.
struct criu_arguments {
  std::string id;
  std::vector<std::string> values;
  bool flag = false;
};

void add_criu_options(CLI::App& to, criu_arguments& x,
                      const std::vector<const char*>& flags,
                      const std::vector<const char*>& options) {
  for (const auto* each : flags)
    to.add_flag(each, x.flag);
  for (const auto* each : options)
    to.add_option(each, x.values)->allow_extra_args(false);
  add_id(to, x.id);
}

/// What checkpoint and restore share.
const std::vector<const char*> flags{"--tcp-established", "--ext-unix-sk",
                                     "--shell-job",       "--file-locks",
                                     "--lazy-pages",      "--auto-dedup"};
const std::vector<const char*> options{"--image-path", "--work-path",
                                       "--manage-cgroups-mode", "--empty-ns"};

std::vector<const char*> with_more(std::vector<const char*> to,
                                   std::initializer_list<const char*> more) {
  to.insert(to.end(), more);
  return to;
}

void refuse(command<criu_arguments>& made, context& with, const char* what) {
  made.does(with, [what](context&, const criu_arguments&) -> result<int> {
    return fail(fault::unsupported,
                std::string{what} + ": not supported by this version");
  });
}

} // namespace

void add_checkpoint_commands(CLI::App& app, context& with) {
  auto checkpoint = add_command<criu_arguments>(
    app, "checkpoint", "Not supported yet: refuses", "");
  add_criu_options(
    *checkpoint.app, *checkpoint.arguments,
    with_more(flags, {"--leave-running", "--pre-dump"}),
    with_more(options, {"--parent-path", "--status-fd", "--page-server"}));
  refuse(checkpoint, with, "checkpoint");
  auto restore = add_command<criu_arguments>(app, "restore",
                                             "Not supported yet: refuses", "");
  add_criu_options(
    *restore.app, *restore.arguments,
    with_more(flags, {"-d,--detach", "--no-subreaper", "--no-pivot"}),
    with_more(options, {"-b,--bundle", "--pid-file", "--console-socket",
                        "--lsm-profile", "--lsm-mount-context"}));
  refuse(restore, with, "restore");
}

} // namespace troupe::oci_cli
