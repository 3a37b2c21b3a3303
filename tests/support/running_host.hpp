#pragma once

#include "tests/support/rootfs.hpp"
#include "tests/support/supervisor.hpp"

#include <string>
#include <vector>

namespace troupe::test {

/// What `supervisor::finish` is to give.
inline const std::vector<std::string> nothing;

/// A supervisor that is still to be started, and something to run.
struct host_box {
  busybox_rootfs root;
  supervisor host;

  command_result run_detached(const std::string& id,
                              const std::string& script) {
    return host.troupe({"run", "-d", "--name", id, "--rootfs", root.path(),
                        "--", "/bin/sh", "-c", script});
  }
};

/// The same, started.
struct running_host : host_box {
  running_host() {
    host.start();
  }
};

} // namespace troupe::test
