#include "config/oci/example.hpp"
#include "config/oci/features.hpp"
#include "config/oci/parse.hpp"
#include "programs/troupe-oci/command.hpp"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <fcntl.h>
#include <seccomp.h>
#include <unistd.h>

namespace troupe::oci_cli {

namespace {

struct spec_arguments {
  std::string bundle = ".";
  bool rootless = false;
};

result<int> write_spec(context&, const spec_arguments& x) {
  const auto spec = x.rootless
                      ? oci::rootless_example_spec(::geteuid(), ::getegid())
                      : oci::example_spec();
  const auto text = oci::to_json(spec).dump(1, '\t') + '\n';
  const auto path = x.bundle + "/config.json";
  constexpr mode_t mode = 0666;
  const sys::unique_fd file{
    ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
  if (!file && errno == EEXIST)
    return fail(fault::already_exists,
                "File " + path + " exists. Remove it first");
  if (!file
      || ::write(file.get(), text.data(), text.size())
           != static_cast<ssize_t>(text.size()))
    return fail_os(errno, "write", path);
  return 0;
}

void add_spec(CLI::App& app, context& with) {
  auto made = add_command<spec_arguments>(
    app, "spec", "Write a first config.json, to be edited",
    "A shell in ./rootfs. An existing file is not replaced.\n\nExample:\n"
    "  mkdir -p web/rootfs && troupe-oci spec --bundle web");
  made.app
    ->add_option("-b,--bundle", made.arguments->bundle,
                 "Directory to write it to")
    ->capture_default_str();
  made.app->add_flag("--rootless", made.arguments->rootless,
                     "For an ordinary user, in a user namespace");
  made.does(with, write_spec);
}

struct nothing {};

std::string seccomp_version() {
  const auto* x = ::seccomp_version();
  return std::to_string(x->major) + '.' + std::to_string(x->minor) + '.'
         + std::to_string(x->micro);
}

void add_features(CLI::App& app, context& with) {
  auto made = add_command<nothing>(
    app, "features", "Print what this program understands, as JSON",
    "runtime-spec's features document; what the host has is another "
    "question.\n\nExample:\n  troupe-oci features");
  made.does(with, [](context&, const nothing&) -> result<int> {
    oci::runtime_features x;
    x.annotations = {
      {"io.github.seccomp.libseccomp.version", seccomp_version()},
      {"troupe.checkpoint.enabled", "false"},
      {"troupe.version", TROUPE_VERSION}};
    print(oci::features(x).dump(2) + '\n');
    return 0;
  });
}

} // namespace

void add_document_commands(CLI::App& app, context& with) {
  add_spec(app, with);
  add_features(app, with);
}

} // namespace troupe::oci_cli
