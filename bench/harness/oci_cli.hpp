#pragma once

#include "bench/harness/process.hpp"

#include <string>
#include <vector>

namespace troupe::bench {

/// An OCI runtime's command line: runc, crun and troupe-oci take the same.
class oci_cli {
public:
  oci_cli(std::string name, std::string program, std::string root)
    : name_(std::move(name)),
      program_(std::move(program)),
      root_(std::move(root)) {
  }

  [[nodiscard]] const std::string& name() const {
    return name_;
  }
  [[nodiscard]] command run(const std::string& id,
                            const std::string& bundle) const {
    return call({"run", "--bundle", bundle, id});
  }
  [[nodiscard]] command run_detached(const std::string& id,
                                     const std::string& bundle) const {
    return call({"run", "--detach", "--bundle", bundle, id});
  }
  [[nodiscard]] command create(const std::string& id, const std::string& bundle,
                               const std::string& pid_file) const {
    return call({"create", "--bundle", bundle, "--pid-file", pid_file, id});
  }
  [[nodiscard]] command start(const std::string& id) const {
    return call({"start", id});
  }
  [[nodiscard]] command remove(const std::string& id) const {
    return call({"delete", id});
  }
  [[nodiscard]] command remove_by_force(const std::string& id) const {
    return call({"delete", "--force", id});
  }
  [[nodiscard]] command exec(const std::string& id,
                             const std::string& program) const {
    return call({"exec", id, program});
  }
  [[nodiscard]] command pause(const std::string& id) const {
    return call({"pause", id});
  }
  [[nodiscard]] command resume(const std::string& id) const {
    return call({"resume", id});
  }
  [[nodiscard]] command update(const std::string& id,
                               const std::string& pids_limit) const {
    return call({"update", "--pids-limit", pids_limit, id});
  }
  [[nodiscard]] command list() const {
    return call({"list", "--quiet"});
  }

private:
  [[nodiscard]] command call(std::vector<std::string> words) const {
    words.insert(words.begin(), {program_, "--root", root_});
    return {std::move(words)};
  }

  std::string name_;
  std::string program_;
  std::string root_;
};

} // namespace troupe::bench
