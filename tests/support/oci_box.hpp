#pragma once

#include "config/oci/parse.hpp"
#include "config/run_options.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/writes.hpp"
#include "runtime/probe/host.hpp"
#include "tests/support/command.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/scratch_directory.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace troupe::test {

/// troupe-oci with a root of its own, a bundle, and a cgroup parent; everything
/// is gone at the end.
class oci_box {
public:
  oci_box() {
    static auto counter = 0;
    cgroup_parent_ = "/troupe-oci-test-" + std::to_string(::getpid()) + "-"
                     + std::to_string(++counter);
    spec = default_spec("rootfs");
    // The host's network: a namespace of it is what takes most time to make.
    std::erase_if(spec.linux_.namespaces, [](const auto& each) {
      return each.kind == oci::namespace_kind::network;
    });
    std::erase_if(spec.mounts, [](const auto& each) {
      return each.type == "sysfs" || each.type == "cgroup";
    });
    spec.linux_.seccomp.reset();
    spec.linux_.masked_paths.clear();
    spec.linux_.cgroups_path = cgroup_parent_ + "/box";
    runs("sleep 1000");
  }

  oci_box(const oci_box&) = delete;
  oci_box& operator=(const oci_box&) = delete;

  ~oci_box() {
    const auto left = call({"list", "-q"});
    for (auto rest = left.out; !rest.empty();) {
      const auto id = rest.substr(0, rest.find('\n'));
      rest.erase(0, id.size() + 1);
      (void)call({"delete", "--force", id});
    }
    // In every hierarchy: `update` may have joined one more.
    const auto host = sys::probe_host("/unused");
    plan::cgroup all;
    for (const auto& [controller, mount] : host.v1_mounts)
      all.dirs.push_back({controller, mount, cgroup_parent_});
    if (!host.v2_mount.empty())
      all.dirs.push_back({"", host.v2_mount, cgroup_parent_});
    cgroup::remove_parent(all, cgroup_parent_);
  }

  /// What the container's shell does. Call `write` afterwards.
  void runs(const std::string& script) {
    spec.process->args = {"/bin/sh", "-c", script};
    write();
  }

  void write() const {
    write_config(oci::to_json(spec).dump());
  }

  void write_config(const std::string& text) const {
    std::ofstream{fs.bundle() + "/config.json"} << text;
  }

  /// Runs `troupe-oci --root OWN WORDS...`.
  [[nodiscard]] command_result call(std::vector<std::string> words,
                                    command_options options = {}) const {
    words.insert(words.begin(), {program(), "--root", root()});
    return run(words, options);
  }

  /// `create` of the bundle, which has to succeed. What the container writes
  /// goes to /dev/null: a pipe of ours would not end before it does.
  void create(const std::string& id, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"create", "--bundle", fs.bundle()});
    more.push_back(id);
    const auto done = quietly(more);
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
  }

  /// A call whose container gets no pipes of ours. Its stderr goes to a file.
  [[nodiscard]] command_result
  quietly(const std::vector<std::string>& words) const {
    std::vector<std::string> all{"/bin/sh",
                                 "-c",
                                 "exec \"$@\" </dev/null >/dev/null 2>"
                                   + directory / "err",
                                 "sh",
                                 program(),
                                 "--root",
                                 root()};
    all.insert(all.end(), words.begin(), words.end());
    auto out = run(all);
    out.err = directory.read("err");
    return out;
  }

  [[nodiscard]] nlohmann::json state(const std::string& id) const {
    const auto said = call({"state", id});
    INFO(said.err);
    REQUIRE(said.exit_code == 0);
    return nlohmann::json::parse(said.out);
  }

  [[nodiscard]] std::string status(const std::string& id) const {
    return state(id).at("status");
  }

  /// Waits until the container has ended.
  void wait_until_stopped(const std::string& id) const {
    const auto deadline = std::chrono::steady_clock::now()
                          + patient(std::chrono::seconds{30});
    while (status(id) != "stopped")
      REQUIRE(std::chrono::steady_clock::now() < deadline);
  }

  [[nodiscard]] plan::cgroup own_cgroup() const {
    const auto facts = sys::probe_host("/unused");
    return cgroup::plan_cgroup(spec, facts, "box").value();
  }

  /// What should not be there after a delete.
  [[nodiscard]] std::vector<std::string> leftovers() const {
    std::vector<std::string> out;
    for (const auto& each : own_cgroup().dirs)
      if (::access((each.mount + each.path).c_str(), F_OK) == 0)
        out.push_back(each.mount + each.path);
    const auto containers = root() + "/containers";
    if (std::filesystem::exists(containers))
      for (const auto& each : std::filesystem::directory_iterator{containers})
        out.push_back(each.path());
    return out;
  }

  [[nodiscard]] static std::string program() {
    return std::string{TROUPE_BIN_DIR} + "/troupe-oci";
  }

  [[nodiscard]] std::string root() const {
    return directory / "root";
  }

  [[nodiscard]] std::string files_of(const std::string& id) const {
    return root() + "/containers/" + id;
  }

  busybox_rootfs fs;
  scratch_directory directory;
  oci::spec spec;

private:
  std::string cgroup_parent_;
};

} // namespace troupe::test
