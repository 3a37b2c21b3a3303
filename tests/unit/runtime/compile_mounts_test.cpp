#include "runtime/compile/explain.hpp"
#include "tests/support/compiled.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <linux/mount.h>
#include <sys/mount.h>

namespace troupe::compile_mounts_test {

using namespace troupe::plan;
using kind = oci::namespace_kind;
using test::base;
using test::bind;
using test::compiled;

namespace {

plan::mount first_mount(const oci::spec& spec,
                        const host_facts& host = test::plain_host()) {
  return compiled(spec, host).rootfs.mounts.at(1); // the first is /dev
}

std::string said(const oci::spec& spec) {
  for (const auto& step : explain(compiled(spec)))
    if (step.origin == "/mounts/0" && step.phase == "mount")
      return step.what;
  return {};
}

} // namespace

TEST_CASE("idmap and ridmap carry the mount's own mappings") {
  auto spec = base();
  spec.mounts = {bind("/a", "/a", {"rbind"})};
  spec.mounts[0].uid_mappings = {{0, 1000, 10}, {10, 2000, 1}};
  spec.mounts[0].gid_mappings = {{0, 3000, 10}};
  const auto [word, means] = GENERATE(
    table<const char*, mount_idmap>({{"idmap", mount_idmap::single},
                                     {"ridmap", mount_idmap::recursive},
                                     {"rro", mount_idmap::single}}));
  spec.mounts[0].options.emplace_back(word);
  const auto x = first_mount(spec);
  CHECK(x.idmap == means);
  CHECK(x.uid_map == std::vector<id_map>{{0, 1000, 10}, {10, 2000, 1}});
  CHECK(x.gid_map == std::vector<id_map>{{0, 3000, 10}});
}

TEST_CASE("an idmap without mappings has the container's") {
  auto spec = base();
  spec.mounts = {bind("/a", "/a", {"bind", "idmap"})};
  spec.linux_.namespaces.push_back({kind::user, ""});
  spec.linux_.uid_mappings = {{0, 100000, 65536}};
  spec.linux_.gid_mappings = {{0, 200000, 65536}};
  CHECK(first_mount(spec).uid_map == std::vector<id_map>{{0, 100000, 65536}});
  CHECK(first_mount(spec).gid_map == std::vector<id_map>{{0, 200000, 65536}});
  CHECK(said(spec) == "bind /a on /a (rslave,idmap)");
  // Those of a joined one are read when it is launched.
  spec.linux_.namespaces.back().path = "/n/user";
  CHECK(first_mount(spec).idmap == mount_idmap::single);
  CHECK(first_mount(spec).uid_map.empty());
}

TEST_CASE("remount changes what is there, and needs neither type nor source") {
  auto spec = base();
  spec.mounts = {{"/a", "", "", {"remount", "rro", "size=1k"}, {}, {}}};
  const auto x = first_mount(spec);
  CHECK(x.kind == mount_kind::remount);
  CHECK(x.type.empty());
  CHECK(x.rec_attr_set == MOUNT_ATTR_RDONLY);
  CHECK(x.data == std::vector<std::string>{"size=1k"});
  CHECK(x.propagation == 0);
  CHECK(said(spec) == "change the mount on /a (rro,size=1k)");
}

TEST_CASE("a remount of /dev is not a /dev") {
  auto spec = base();
  spec.mounts = {{"/dev", "", "", {"remount", "noexec"}, {}, {}}};
  const auto plan = compiled(spec);
  REQUIRE(plan.rootfs.mounts.size() == 2);
  CHECK(plan.rootfs.mounts[0].type == "tmpfs");
  CHECK(plan.rootfs.fill_dev);
}

TEST_CASE("a bind leaves the superblock's words alone") {
  auto spec = base();
  spec.mounts = {bind("/a", "/a", {"bind", "sync", "lazytime", "ro"})};
  CHECK(first_mount(spec).data.empty());
  CHECK(first_mount(spec).attr_set == MOUNT_ATTR_RDONLY);
  spec.mounts = {{"/a", "", "", {"remount", "bind", "sync"}, {}, {}}};
  CHECK(first_mount(spec).data.empty());
}

TEST_CASE("a mount label is data of the file systems that take one") {
  auto spec = base();
  auto host = test::plain_host();
  host.selinux = true;
  spec.mounts = {{"/t", "tmpfs", "tmpfs", {"mode=755"}, {}, {}},
                 {"/proc", "proc", "proc", {}, {}, {}},
                 {"/sys", "sysfs", "sysfs", {}, {}, {}},
                 {"/q", "mqueue", "mqueue", {}, {}, {}},
                 bind("/a", "/a")};
  spec.linux_.mount_label = "u:r:t:s0:c1,c2";
  const auto plan = test::compiled_or_not(spec, host);
  // As long as this build refuses labels, with or without SELinux.
  if (!plan) {
    CHECK(plan.error().what.starts_with("/linux/mountLabel: "));
    return;
  }
  const auto label = std::string{"context=u:r:t:s0:c1,c2"};
  for (const auto& each : plan->rootfs.mounts) {
    CAPTURE(each.target);
    const auto has = std::ranges::find(each.data, label) != each.data.end();
    CHECK(has == (each.target == "/dev" || each.target == "/t"));
  }
}

} // namespace troupe::compile_mounts_test
