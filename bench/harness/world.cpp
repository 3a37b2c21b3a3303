#include "bench/harness/world.hpp"

#include "bench/harness/bundle.hpp"
#include "bench/harness/isolation.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/linux/search_path.hpp"
#include "runtime/probe/host.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <sys/mount.h>
#include <unistd.h>

namespace troupe::bench {

namespace fs = std::filesystem;

world::world(const options& wanted, report& to, std::string directory)
  : with(wanted),
    out(to),
    troupe_oci("troupe-oci", program("troupe-oci"),
               directory + "/run/troupe-oci"),
    directory_(std::move(directory)),
    cgroup_parent_("/troupe-bench-" + std::to_string(::getpid())) {
}

world::~world() {
  (void)close();
}

result<std::unique_ptr<world>> world::open(const options& with, report& out) {
  auto directory = "/tmp/troupe-bench-" + std::to_string(::getpid())
                   + "-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr)
    return fail_os(errno, "mkdtemp", directory);
  std::unique_ptr<world> made{new world{with, out, directory}};
  TROUPE_CHECK(made->furnish());
  return made;
}

outcome world::furnish() {
  TROUPE_CHECK(isolate_mounts(with.wants_peer("containerd")));
  TROUPE_CHECK(mount_runtime_files(runtime_files("")));
  TROUPE_CHECK(make_rootfs(rootfs(), program("troupe-bench-probe")));
  TROUPE_CHECK(make_bundle(true_bundle(), rootfs(), {"/bin/true"}));
  TROUPE_CHECK(make_bundle(idle_bundle(), rootfs(), {"/bin/probe", "pause"}));
  TROUPE_CHECK(write_plan(true_bundle(), cgroup_parent_, scratch("true.plan")));
  find_peers();
  TROUPE_TRY(
    floor, floor_process::start(program("troupe-floor"), scratch("true.plan")));
  trouped = std::make_unique<supervisor>(scratch("trouped"),
                                         runtime_files("trouped"),
                                         cgroup_parent_, program("trouped"));
  TROUPE_CHECK(trouped->start());
  idle = std::make_unique<population>(trouped->socket(), idle_bundle());
  return {};
}

void world::find_peers() {
  const auto runc = sys::find_on_path("runc");
  for (const auto& name : with.peers) {
    const auto path = sys::find_on_path(name);
    if (path.empty())
      out.absent.push_back({name, "not on PATH (bench/run --install-peers)"});
    else if (name == "podman")
      podman_ = std::make_unique<podman>(
        scratch("podman"), runtime_files("podman"), scratch("podman-rootfs"),
        runc, cgroup_parent_ + "-podman");
    else if (name != "containerd")
      peers_.emplace_back(name, path, runtime_files(name));
  }
  // podman writes into the root that it is given.
  std::error_code ignored;
  if (podman_)
    fs::copy(rootfs(), scratch("podman-rootfs"),
             fs::copy_options::recursive | fs::copy_options::copy_symlinks,
             ignored);
}

containerd* world::with_containerd() {
  if (tried_containerd_ || !with.wants_peer("containerd")
      || sys::find_on_path("containerd").empty())
    return containerd_.get();
  tried_containerd_ = true;
  auto made = containerd::start(scratch("containerd"), rootfs(),
                                sys::find_on_path("runc"),
                                cgroup_parent_.substr(1) + "-ctr", run);
  if (made)
    containerd_ = *std::move(made);
  else
    out.absent.push_back({"containerd", made.error().what});
  return containerd_.get();
}

std::string world::program(const std::string& name) {
  // Looked up once, by the constructor: in a mount namespace that came later
  // the kernel may name our file by another path.
  static const auto directory
    = fs::read_symlink("/proc/self/exe").parent_path();
  return directory / name;
}

command world::troupe(std::vector<std::string> words) const {
  words.insert(words.begin(),
               {program("troupe"), "--socket", trouped->socket()});
  return {std::move(words)};
}

void world::remove_containers(const oci_cli& of) {
  const auto list = run.output_of(of.list());
  std::istringstream ids{list.value_or("")};
  for (std::string id; std::getline(ids, id);)
    (void)run.time(of.remove_by_force(id));
}

/// Of the floor and trouped, and those that podman and containerd were given:
/// neither removes a parent.
void world::remove_cgroups() {
  const auto host = sys::probe_host(cgroup_parent_);
  for (const auto* suffix : {"", "-podman", "-ctr"}) {
    const auto path = cgroup_parent_ + suffix;
    plan::cgroup all;
    for (const auto& [controller, mount] : host.v1_mounts)
      all.dirs.push_back({controller, mount, path});
    if (!host.v2_mount.empty())
      all.dirs.push_back({"", host.v2_mount, path});
    (void)cgroup::remove(all, std::chrono::seconds{5});
  }
}

outcome world::close() {
  if (std::exchange(closed_, true))
    return {};
  outcome ended;
  if (idle)
    ended = idle->resize(0);
  if (trouped)
    if (auto finished = trouped->finish(); !finished)
      ended = finished;
  floor.reset();
  remove_containers(troupe_oci);
  for (const auto& each : peers_)
    remove_containers(each);
  if (podman_)
    (void)run.time(podman_->call({"rm", "--all", "--force", "--time", "0"}));
  containerd_.reset();
  remove_cgroups();
  ::umount2(runtime_files("").c_str(), MNT_DETACH);
  std::error_code why;
  fs::remove_all(directory_, why);
  if (why && ended)
    ended = fail_os(why.value(), "remove", directory_);
  return ended;
}

} // namespace troupe::bench
