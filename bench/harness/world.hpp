#pragma once

#include "bench/harness/containerd.hpp"
#include "bench/harness/floor.hpp"
#include "bench/harness/oci_cli.hpp"
#include "bench/harness/podman.hpp"
#include "bench/harness/population.hpp"
#include "bench/harness/supervisor.hpp"
#include "bench/measure/options.hpp"
#include "bench/measure/report.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe::bench {

/// Everything that the scenarios share: a scratch directory, the bundles, the
/// supervisor, the floor and the peers. Whatever it has made is gone when it is
/// closed: containers, cgroups, mounts, processes, files.
class world {
public:
  [[nodiscard]] static result<std::unique_ptr<world>> open(const options& with,
                                                           report& out);
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  ~world();
  [[nodiscard]] outcome close();

  const options& with;
  report& out;
  runner run;
  std::unique_ptr<supervisor> trouped;
  std::unique_ptr<population> idle; ///< Containers of trouped that do nothing.
  std::optional<floor_process> floor;
  oci_cli troupe_oci;
  bool own_failure = false; ///< Something of ours failed: the run did.

  /// runc and crun, where they are wanted and there.
  [[nodiscard]] const std::vector<oci_cli>& peer_runtimes() const {
    return peers_;
  }
  /// Null where it is not wanted or not there.
  [[nodiscard]] podman* with_podman() const {
    return podman_.get();
  }
  /// Started when it is first asked for.
  [[nodiscard]] containerd* with_containerd();

  [[nodiscard]] std::string scratch(const std::string& name) const {
    return directory_ + "/" + name;
  }
  /// Lost at reboot: on a tmpfs.
  [[nodiscard]] std::string runtime_files(const std::string& of) const {
    return scratch("run/" + of);
  }
  /// One of our programs.
  [[nodiscard]] static std::string program(const std::string& name);
  /// `troupe WORDS...` on our supervisor.
  [[nodiscard]] command troupe(std::vector<std::string> words) const;

  /// A bundle that runs /bin/true, or does nothing for ever.
  [[nodiscard]] std::string true_bundle() const {
    return scratch("true");
  }
  [[nodiscard]] std::string idle_bundle() const {
    return scratch("idle");
  }
  [[nodiscard]] std::string rootfs() const {
    return scratch("rootfs");
  }

private:
  world(const options& wanted, report& to, std::string directory);

  [[nodiscard]] outcome furnish();
  void find_peers();
  void remove_containers(const oci_cli& of);
  void remove_cgroups();

  std::string directory_;
  std::string cgroup_parent_;
  std::vector<oci_cli> peers_;
  std::unique_ptr<podman> podman_;
  std::unique_ptr<containerd> containerd_;
  bool tried_containerd_ = false;
  bool closed_ = false;
};

} // namespace troupe::bench
