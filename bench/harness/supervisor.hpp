#pragma once

#include "bench/harness/process.hpp"
#include "programs/troupe/api_client.hpp"

#include <string>
#include <vector>

namespace troupe::bench {

/// A real trouped of our own: root, state, socket and cgroup parent.
class supervisor {
public:
  /// `root` is trouped's ROOT, the rest lies below `directory`; `program` is
  /// trouped's path, `options` more of its command line.
  supervisor(std::string directory, std::string root, std::string cgroup_parent,
             std::string program, std::vector<std::string> options = {});
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;
  ~supervisor(); ///< As `finish`, but silent.

  /// Starts it and waits until it says that it is ready. Returns the moment at
  /// which it was executed.
  [[nodiscard]] result<std::int64_t> start();

  /// SIGKILL, and waits for its death. Containers and shim live on.
  void kill();

  /// Ends it with its shim and every container.
  [[nodiscard]] outcome finish();

  [[nodiscard]] std::string socket() const {
    return root_ + "/trouped.sock";
  }
  [[nodiscard]] pid_t pid() const {
    return trouped_.pid();
  }
  [[nodiscard]] pid_t shim_pid() const {
    return shim_pid_;
  }
  [[nodiscard]] const std::string& cgroup_parent() const {
    return cgroup_parent_;
  }

private:
  [[nodiscard]] outcome wait_until_ready(std::size_t from);
  [[nodiscard]] std::string log_path() const {
    return directory_ + "/log/trouped";
  }

  std::string directory_;
  std::string root_;
  std::string cgroup_parent_;
  std::string program_;
  std::vector<std::string> options_;
  child trouped_;
  pid_t shim_pid_ = 0;
};

} // namespace troupe::bench
