#include "bench/harness/containerd.hpp"

#include "bench/harness/clock.hpp"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>

namespace troupe::bench {

namespace {

constexpr auto start_patience_ms = 30'000.0;
constexpr auto end_patience = 30'000;

void write_configuration(const std::string& directory,
                         const std::string& socket) {
  std::ofstream{directory + "/config.toml"}
    << "version = 2\nroot = \"" + directory
         + "/root\"\nstate = \"/run/containerd\"\n"
           "disabled_plugins = [\"io.containerd.grpc.v1.cri\", "
           "\"io.containerd.snapshotter.v1.btrfs\", "
           "\"io.containerd.snapshotter.v1.zfs\", "
           "\"io.containerd.snapshotter.v1.devmapper\", "
           "\"io.containerd.snapshotter.v1.aufs\"]\n"
           "[grpc]\naddress = \""
         + socket + "\"\n";
}

} // namespace

containerd::containerd(std::string directory, std::string rootfs,
                       std::string runtime, std::string name_space)
  : directory_(std::move(directory)),
    rootfs_(std::move(rootfs)),
    runtime_(std::move(runtime)),
    namespace_(std::move(name_space)) {
}

result<std::unique_ptr<containerd>>
containerd::start(const std::string& directory, const std::string& rootfs,
                  const std::string& runtime, const std::string& name_space,
                  runner& with) {
  std::error_code ignored;
  std::filesystem::create_directories(directory, ignored);
  std::unique_ptr<containerd> out{
    new containerd{directory, rootfs, runtime, name_space}};
  write_configuration(directory, out->socket());
  const sys::unique_fd log{
    ::open((directory + "/log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
  TROUPE_TRY(out->daemon_,
             spawn({{"containerd", "--config", directory + "/config.toml"},
                    {},
                    -1,
                    log.get(),
                    log.get()}));
  // Asking it is all there is: it tells nobody that it serves.
  const auto began = now_ns();
  for (;;) {
    const auto answered = with.time(
      out->call({"--connect-timeout", "1s", "version"}));
    if (answered)
      return out;
    if (ms_since(began) > start_patience_ms)
      return fail(answered.error());
  }
}

containerd::~containerd() {
  daemon_.end(SIGTERM, end_patience);
}

command containerd::run(std::vector<std::string> options, const std::string& id,
                        const std::vector<std::string>& args) const {
  options.insert(options.begin(), "run");
  options.insert(options.end(), {"--runc-binary", runtime_, "--null-io",
                                 "--rootfs", rootfs_, id});
  options.insert(options.end(), args.begin(), args.end());
  return call(std::move(options));
}

command containerd::remove_by_force(const std::string& id) const {
  return call({"tasks", "delete", "--force", id});
}

command containerd::call(std::vector<std::string> words) const {
  words.insert(words.begin(),
               {"ctr", "--address", socket(), "--namespace", namespace_});
  return {std::move(words)};
}

} // namespace troupe::bench
