#include "tests/support/compiled.hpp"

#include <catch2/catch.hpp>

#include <linux/mount.h>
#include <sys/mount.h>

namespace troupe::shown_cgroups_test {

using namespace troupe::plan;
using kind = oci::namespace_kind;
using test::base;
using test::compiled;
using words = std::vector<std::string>;

namespace {

oci::spec with_cgroup_mount(words options = {"ro", "nosuid"}) {
  auto out = base();
  out.mounts = {
    {"/sys/fs/cgroup", "cgroup", "cgroup", std::move(options), {}, {}}};
  return out;
}

/// Root of somebody's user namespace.
host_facts without_rights(host_facts host) {
  host.cgroups = cgroup_mode::none;
  return host;
}

host_facts joint_host() {
  host_facts out;
  out.v1_mounts["cpu"] = out.v1_mounts["cpuacct"] = "/cg/cpu,cpuacct";
  out.v1_mounts["name=systemd"] = "/cg/systemd";
  return out;
}

host_facts unified_host() {
  host_facts out;
  out.v2_mount = "/sys/fs/cgroup";
  return out;
}

/// Without the default /dev.
std::vector<plan::mount> mounts_of(const oci::spec& spec,
                                   const host_facts& host) {
  auto out = compiled(spec, host).rootfs.mounts;
  out.erase(out.begin());
  return out;
}

} // namespace

TEST_CASE("own cgroups are left to the launcher, and so is a host without") {
  const auto spec = with_cgroup_mount();
  for (const auto& host : {test::hybrid_host(), test::plain_host()}) {
    const auto mounts = mounts_of(spec, host);
    REQUIRE(mounts.size() == 1);
    CHECK(mounts[0].kind == mount_kind::cgroup);
  }
}

TEST_CASE("the cgroups of others are mounted anew in a cgroup namespace") {
  auto spec = with_cgroup_mount();
  spec.linux_.namespaces.push_back({kind::cgroup, ""});
  SECTION("each v1 hierarchy below a tmpfs that is read-only at last") {
    const auto mounts = mounts_of(spec, joint_host());
    REQUIRE(mounts.size() == 4);
    CHECK(mounts[0].type == "tmpfs");
    CHECK(mounts[0].attr_set == MOUNT_ATTR_NOSUID);
    CHECK(mounts[1].type == "cgroup");
    CHECK(mounts[1].target == "/sys/fs/cgroup/cpu,cpuacct");
    CHECK(mounts[1].data == words{"cpu", "cpuacct"});
    CHECK(mounts[1].attr_set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID));
    CHECK(mounts[2].target == "/sys/fs/cgroup/systemd");
    CHECK(mounts[2].data == words{"name=systemd"});
    CHECK(mounts[3].kind == mount_kind::remount);
    CHECK(mounts[3].target == "/sys/fs/cgroup");
    CHECK(mounts[3].attr_set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID));
    for (const auto& each : mounts)
      CHECK(each.origin == "/mounts/0");
  }
  SECTION("the v2 hierarchy in place, or beside them") {
    const auto alone = mounts_of(spec, unified_host());
    REQUIRE(alone.size() == 1);
    CHECK(alone[0].kind == mount_kind::filesystem);
    CHECK(alone[0].type == "cgroup2");
    CHECK(alone[0].target == "/sys/fs/cgroup");
    const auto beside = mounts_of(spec, without_rights(test::hybrid_host()));
    REQUIRE(beside.size() == 11);
    CHECK(beside[9].type == "cgroup2");
    CHECK(beside[9].target == "/sys/fs/cgroup/unified");
  }
  SECTION("and a writable mount needs no second step") {
    spec = with_cgroup_mount({"nosuid"});
    CHECK(mounts_of(spec, joint_host()).size() == 3);
  }
}

TEST_CASE("without a cgroup namespace the host's own mounts are bound") {
  const auto mounts = mounts_of(with_cgroup_mount(), joint_host());
  REQUIRE(mounts.size() == 4);
  CHECK(mounts[1].kind == mount_kind::bind);
  CHECK(mounts[1].source == "/cg/cpu,cpuacct");
  CHECK(mounts[1].type.empty());
  CHECK(mounts[1].propagation == MS_SLAVE);
  CHECK_FALSE(mounts[1].recursive);
  const auto unified = mounts_of(with_cgroup_mount(), unified_host());
  REQUIRE(unified.size() == 1);
  CHECK(unified[0].source == "/sys/fs/cgroup");
}

} // namespace troupe::shown_cgroups_test
