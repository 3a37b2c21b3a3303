#include "programs/troupe-oci/command.hpp"
#include "programs/troupe-oci/words.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/oci/own_program.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <unistd.h>
#include <vector>

using namespace troupe;

namespace {

constexpr auto version = "troupe-oci version " TROUPE_VERSION "\nspec: 1.3.0";

constexpr auto description
  = "Runs containers from OCI bundles: a drop-in for runc and crun, below "
    "podman, containerd\nand conmon, or by hand.";

constexpr auto footer
  = "Exit codes: 1 for a failure (255 for exec's own); run and exec give the "
    "program's, or\n128+N when signal N ended it.\n\n"
    "Files: below --root, containers/ID/ with config.json, plan.cbor, "
    "state.json.\n\nExample:\n"
    "  troupe-oci spec && troupe-oci run web";

/// Whether we are root on the host and not in a user namespace of somebody's.
bool is_host_root() {
  if (::geteuid() != 0)
    return false;
  const auto map = sys::read_file(AT_FDCWD, "/proc/self/uid_map").value_or("");
  return map.find("4294967295") != std::string::npos;
}

std::string default_root() {
  const auto* own = ::getenv("XDG_RUNTIME_DIR"); // NOLINT: one thread
  if (::geteuid() == 0 && (own == nullptr || is_host_root()))
    return "/run/troupe-oci";
  if (own != nullptr && *own == '/')
    return std::string{own} + "/troupe-oci";
  return "/run/user/" + std::to_string(::geteuid()) + "/troupe-oci";
}

/// A missing one of the three would be the number of what we open next.
void open_standard_descriptors() {
  for (auto fd = 0; fd <= 2;) {
    fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0)
      return;
    if (fd > 2)
      ::close(fd);
    else
      ::fcntl(fd, F_SETFD, 0);
  }
}

void add_global_options(CLI::App& app, oci_cli::context& with) {
  app.add_option("--root", with.root, "Where the state of containers is kept")
    ->capture_default_str();
  app.add_option("--log", with.log_path, "File for warnings and errors");
  app.add_option("--log-format", with.log_format, "text or json")
    ->check(CLI::IsMember({"text", "json"}))
    ->capture_default_str();
  app.add_flag("--debug", with.debug, "Log what is done");
  app.add_flag("--systemd-cgroup", with.systemd_cgroup,
               "systemd makes the cgroups: linux.cgroupsPath is "
               "slice:prefix:name");
  app
    .add_option("--cgroup-manager", with.cgroup_manager,
                "cgroupfs; systemd, as --systemd-cgroup; or disabled: the "
                "container\nstays in its caller's cgroups")
    ->check(CLI::IsMember({"cgroupfs", "systemd", "disabled"}))
    ->capture_default_str();
  app.add_option("--rootless", with.rootless, "Accepted and not needed");
  app.add_option("--criu", with.criu, "Accepted and not needed");
  app.set_version_flag("-v,--version", version);
  app.require_subcommand(1);
  app.footer(footer);
}

/// The commands of one file, so that the others need not be built up: half of
/// what `state` takes would be for options that nobody asks about.
struct command_group {
  std::vector<std::string_view> names;
  void (*add)(CLI::App&, oci_cli::context&);
};

const std::vector<command_group> groups{
  {{"create", "run", "start", "kill", "delete"},
   oci_cli::add_lifecycle_commands},
  {{"exec"}, oci_cli::add_exec_command},
  {{"state", "list", "ps", "events"}, oci_cli::add_look_commands},
  {{"pause", "resume", "update"}, oci_cli::add_resource_commands},
  {{"spec", "features"}, oci_cli::add_document_commands},
  {{"checkpoint", "restore"}, oci_cli::add_checkpoint_commands},
};

/// Adds the groups that `words` name anywhere, or all of them for help and
/// completion.
void add_commands(CLI::App& app, oci_cli::context& with,
                  const std::vector<std::string>& words) {
  auto found = false;
  for (const auto& group : groups)
    if (std::ranges::find_first_of(words, group.names) != words.end()) {
      group.add(app, with);
      found = true;
    }
  if (found)
    return;
  for (const auto& group : groups)
    group.add(app, with);
  oci_cli::add_completion_command(app, with);
}

int act(oci_cli::context& with, char** argv) {
  with.root = std::filesystem::absolute(with.root).lexically_normal().string();
  with.log.open(with.log_path, with.log_format == "json");
  if (!with.log.is_usable()) {
    with.log.open("", with.log_format == "json");
    with.log.fail("open " + with.log_path + ": cannot be written");
    return 1;
  }
  if (with.enters_containers)
    if (const auto sealed = oci_runtime::run_from_sealed_copy(argv); !sealed) {
      with.log.fail(with.failure_prefix + sealed.error().what);
      return with.failure_code;
    }
  const auto code = with.action();
  if (code) {
    with.log.finish();
    return *code;
  }
  with.log.fail(with.failure_prefix + code.error().what);
  return with.failure_code;
}

} // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  const std::vector<std::string> words{argv + 1, argv + argc};
  // Every client's first question; CLI11 answers it with an exception, the
  // first of which takes a static program longer than all the rest.
  if (words.size() == 1 && (words[0] == "--version" || words[0] == "-v")) {
    std::puts(version);
    return 0;
  }
  CLI::App app{description, oci_cli::program};
  oci_cli::context with;
  with.root = default_root();
  add_global_options(app, with);
  add_commands(app, with, words);
  if (argc == 1) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  }
  std::string unknown;
  try {
    auto line = oci_cli::prepare(app, words);
    with.rest = std::move(line.rest);
    unknown = std::move(line.unknown);
    std::reverse(line.words.begin(), line.words.end()); // as CLI11 takes them
    app.parse(std::move(line.words));
    return act(with, argv);
  } catch (const CLI::ParseError& why) {
    if (why.get_exit_code() == 0)
      return app.exit(why);
    with.log.open(with.log_path, with.log_format == "json");
    with.log.fail(unknown.empty() ? why.what()
                                  : "unknown command '" + unknown
                                      + "': see troupe-oci --help");
    return 1;
  } catch (const std::exception& why) {
    with.log.fail(why.what());
    return 1;
  }
}
