#include "bench/harness/podman.hpp"

#include <filesystem>
#include <fstream>

namespace troupe::bench {

podman::podman(std::string directory, std::string run, std::string rootfs,
               std::string runtime, std::string cgroup_parent)
  : directory_(std::move(directory)),
    run_(std::move(run)),
    rootfs_(std::move(rootfs)),
    runtime_(std::move(runtime)),
    cgroup_parent_(std::move(cgroup_parent)) {
  std::error_code ignored;
  std::filesystem::create_directories(directory_ + "/home", ignored);
  // Hard limits may not be raised everywhere: no default ulimits.
  std::ofstream{directory_ + "/containers.conf"}
    << "[containers]\ndefault_ulimits = []\n[engine]\n"
       "cgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\n";
  std::ofstream{directory_ + "/storage.conf"}
    << "[storage]\ndriver = \"vfs\"\ngraphroot = \"" + directory_
         + "/store\"\nrunroot = \"" + run_ + "\"\n";
}

command podman::run(std::vector<std::string> options,
                    const std::vector<std::string>& args) const {
  options.insert(options.begin(), "run");
  options.insert(options.end(), {"--network", "none", "--cgroup-parent",
                                 cgroup_parent_, "--rootfs", rootfs_});
  options.insert(options.end(), args.begin(), args.end());
  return call(std::move(options));
}

command podman::call(std::vector<std::string> words) const {
  words.insert(words.begin(),
               {"podman", "--root", directory_ + "/store", "--runroot", run_,
                "--tmpdir", run_ + "/tmp", "--cgroup-manager=cgroupfs",
                "--runtime", runtime_});
  return {std::move(words),
          {"HOME=" + directory_ + "/home",
           "CONTAINERS_CONF=" + directory_ + "/containers.conf",
           "CONTAINERS_STORAGE_CONF=" + directory_ + "/storage.conf"}};
}

} // namespace troupe::bench
