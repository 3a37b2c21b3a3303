#pragma once

#include "bench/harness/process.hpp"

#include <string>
#include <vector>

namespace troupe::bench {

/// A podman of our own: storage, state and configuration below a directory, so
/// that it neither sees nor leaves anything of the host's. It runs runc,
/// because Debian's crun does not run on every host.
class podman {
public:
  /// `run` is for what is lost at reboot.
  podman(std::string directory, std::string run, std::string rootfs,
         std::string runtime, std::string cgroup_parent);

  /// `podman run`, without a network as the others, on the common root.
  [[nodiscard]] command run(std::vector<std::string> options,
                            const std::vector<std::string>& args) const;
  [[nodiscard]] command call(std::vector<std::string> words) const;
  [[nodiscard]] const std::string& directory() const {
    return directory_;
  }

private:
  std::string directory_;
  std::string run_;
  std::string rootfs_;
  std::string runtime_;
  std::string cgroup_parent_;
};

} // namespace troupe::bench
