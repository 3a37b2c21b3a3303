#pragma once

#include "bench/harness/process.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe::bench {

/// A containerd of our own. Its shims' sockets are in /run/containerd whatever
/// it is told, which has to be ours (`world` sees to that).
class containerd {
public:
  /// Starts it and waits until it answers.
  [[nodiscard]] static result<std::unique_ptr<containerd>>
  start(const std::string& directory, const std::string& rootfs,
        const std::string& runtime, const std::string& name_space,
        runner& with);
  containerd(const containerd&) = delete;
  containerd& operator=(const containerd&) = delete;
  ~containerd();

  /// `ctr run` on the common root.
  [[nodiscard]] command run(std::vector<std::string> options,
                            const std::string& id,
                            const std::vector<std::string>& args) const;
  /// Its task is killed first.
  [[nodiscard]] command remove_by_force(const std::string& id) const;
  [[nodiscard]] command call(std::vector<std::string> words) const;

private:
  containerd(std::string directory, std::string rootfs, std::string runtime,
             std::string name_space);

  [[nodiscard]] std::string socket() const {
    return directory_ + "/containerd.sock";
  }

  std::string directory_;
  std::string rootfs_;
  std::string runtime_;
  std::string namespace_; ///< Its cgroups' parent, too.
  child daemon_;
};

} // namespace troupe::bench
