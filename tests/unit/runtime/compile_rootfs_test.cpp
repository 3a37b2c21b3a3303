#include "tests/support/compiled.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <tuple>

namespace troupe::compile_rootfs_test {

using namespace troupe::plan;
using kind = oci::namespace_kind;
using test::base;
using test::bind;
using test::compiled;
using test::refusal;

namespace {

const device* find(const launch_plan& plan, std::string_view path) {
  const auto& xs = plan.rootfs.devices;
  const auto i = std::ranges::find(xs, path, &device::path);
  return i == xs.end() ? nullptr : &*i;
}

} // namespace

// -- rootfs -------------------------------------------------------------------

TEST_CASE("a relative root lies in the bundle") {
  auto spec = base();
  CHECK(compiled(spec).rootfs.path == "/srv/bundle/rootfs");
  spec.root->path = "./rootfs/";
  CHECK(compiled(spec).rootfs.path == "/srv/bundle/rootfs");
  spec.root->path = "/images/a";
  CHECK(compiled(spec).rootfs.path == "/images/a");
}

TEST_CASE("dots that lead up are left to the kernel") {
  auto spec = base();
  spec.root->path = "link/../rootfs";
  CHECK(compiled(spec).rootfs.path == "/srv/bundle/link/../rootfs");
}

TEST_CASE("a spec without a root is refused") {
  auto spec = base();
  spec.root.reset();
  CHECK(refusal(spec).what == "/root: missing, required on Linux");
}

TEST_CASE("the root's propagation is private unless asked for") {
  const std::pair<const char*, std::uint64_t> expected[] = {
    {"", MS_PRIVATE},
    {"private", MS_PRIVATE},
    {"rprivate", MS_PRIVATE | MS_REC},
    {"shared", MS_SHARED},
    {"rshared", MS_SHARED | MS_REC},
    {"slave", MS_SLAVE},
    {"rslave", MS_SLAVE | MS_REC},
    {"unbindable", MS_UNBINDABLE},
    {"runbindable", MS_UNBINDABLE | MS_REC},
  };
  for (const auto& [word, flags] : expected) {
    INFO(word);
    auto spec = base();
    spec.linux_.rootfs_propagation = word;
    const auto plan = compiled(spec);
    CHECK(plan.rootfs.propagation == flags);
    CHECK(plan.rootfs.host_propagation == (MS_SLAVE | MS_REC));
  }
  auto spec = base();
  spec.linux_.rootfs_propagation = "public";
  CHECK(
    refusal(spec).what.starts_with("/linux/rootfsPropagation: found 'public'"));
}

TEST_CASE("guarded paths know where they come from") {
  auto spec = base();
  spec.linux_.masked_paths = {"/a", "/b"};
  spec.linux_.readonly_paths = {"/c"};
  const auto plan = compiled(spec);
  CHECK(plan.rootfs.masked
        == std::vector<guarded_path>{{"/a", "/linux/maskedPaths/0"},
                                     {"/b", "/linux/maskedPaths/1"}});
  CHECK(plan.rootfs.readonly_paths
        == std::vector<guarded_path>{{"/c", "/linux/readonlyPaths/0"}});
}

TEST_CASE("without a mount namespace nothing is mounted") {
  auto spec = base();
  spec.linux_.namespaces = {{kind::pid, ""}};
  const auto plan = compiled(spec);
  CHECK(plan.rootfs.path == "/srv/bundle/rootfs");
  CHECK(plan.rootfs.mounts.empty());
  CHECK(plan.rootfs.devices.empty());
  CHECK(plan.rootfs.symlinks.empty());
  CHECK_FALSE(plan.rootfs.fill_dev);
  CHECK(plan.rootfs.host_propagation == 0);
  const auto refused = [](oci::spec x) { return refusal(x).what; };
  auto other = spec;
  other.mounts = {bind("/a", "/b")};
  CHECK(refused(other).starts_with("/mounts: needs a mount namespace"));
  other = spec;
  other.root->readonly = true;
  CHECK(refused(other).starts_with("/root/readonly: "));
  other = spec;
  other.linux_.masked_paths = {"/a"};
  CHECK(refused(other).starts_with("/linux/maskedPaths: "));
}

// -- mounts -------------------------------------------------------------------

TEST_CASE("mounts keep the spec's order behind the default /dev") {
  auto spec = base();
  spec.mounts = {bind("/a", "/x"), bind("/b", "/y")};
  const auto mounts = compiled(spec).rootfs.mounts;
  REQUIRE(mounts.size() == 3);
  CHECK(mounts[0].target == "/dev");
  CHECK(mounts[0].type == "tmpfs");
  CHECK(mounts[0].origin.empty());
  CHECK(mounts[0].attr_set == (MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME));
  CHECK(mounts[0].attr_clear == MOUNT_ATTR__ATIME);
  CHECK(mounts[0].data == std::vector<std::string>{"mode=755", "size=65536k"});
  CHECK(mounts[1].target == "/x");
  CHECK(mounts[1].origin == "/mounts/0");
  CHECK(mounts[2].target == "/y");
  CHECK(mounts[2].origin == "/mounts/1");
}

TEST_CASE("the spec's own /dev replaces the default") {
  auto spec = base();
  spec.mounts = {{"/proc", "proc", "proc", {}, {}, {}},
                 {"//dev/.", "tmpfs", "tmpfs", {"mode=700"}, {}, {}}};
  const auto plan = compiled(spec);
  REQUIRE(plan.rootfs.mounts.size() == 2);
  CHECK(plan.rootfs.mounts[1].target == "/dev");
  CHECK(plan.rootfs.fill_dev);
  CHECK(find(plan, "/dev/null") != nullptr);
}

TEST_CASE("a /dev that is not a fresh tmpfs is never filled") {
  auto spec = base();
  SECTION("bound") {
    spec.mounts = {bind("/dev", "/dev", {"rbind"})};
  }
  SECTION("bound by option alone") {
    spec.mounts = {{"/dev", "none", "/dev", {"bind"}, {}, {}}};
  }
  SECTION("the kernel's devtmpfs, which is the host's") {
    spec.mounts = {{"/dev", "devtmpfs", "devtmpfs", {}, {}, {}}};
  }
  SECTION("a tmpfs, and then a bind on top") {
    spec.mounts = {{"/dev", "tmpfs", "tmpfs", {}, {}, {}},
                   bind("/dev", "/dev/../dev/")};
  }
  SECTION("a tmpfs, and then another root on top") {
    spec.mounts = {{"/dev", "tmpfs", "tmpfs", {}, {}, {}},
                   bind("/other", "/", {"rbind"})};
  }
  spec.linux_.devices = {{"c", "/dev/fuse", 10, 229, {}, {}, {}},
                         {"c", "/srv/null", 1, 3, {}, {}, {}}};
  const auto plan = compiled(spec);
  CHECK_FALSE(plan.rootfs.fill_dev);
  CHECK(plan.rootfs.symlinks.empty());
  REQUIRE(plan.rootfs.devices.size() == 1);
  CHECK(plan.rootfs.devices[0].path == "/srv/null");
}

TEST_CASE("bind sources are absolute and slaves unless told otherwise") {
  auto spec = base();
  spec.mounts = {bind("data", "/a", {"rbind"}), bind("/b", "/b", {"shared"}),
                 bind("/c", "/c", {"rprivate"})};
  const auto mounts = compiled(spec).rootfs.mounts;
  REQUIRE(mounts.size() == 4);
  CHECK(mounts[1].kind == mount_kind::bind);
  CHECK(mounts[1].source == "/srv/bundle/data");
  CHECK(mounts[1].recursive);
  CHECK(mounts[1].propagation == MS_SLAVE);
  CHECK(mounts[1].propagation_recursive);
  CHECK(mounts[2].propagation == MS_SHARED);
  CHECK_FALSE(mounts[2].propagation_recursive);
  CHECK_FALSE(mounts[2].recursive);
  CHECK(mounts[3].propagation == MS_PRIVATE);
  CHECK(mounts[3].propagation_recursive);
}

TEST_CASE("options become attributes, recursive ones apart") {
  auto spec = base();
  spec.mounts = {bind("/a", "/a", {"rbind", "ro", "nosuid", "exec", "rnodev"})};
  const auto x = compiled(spec).rootfs.mounts.at(1);
  CHECK(x.attr_set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID));
  CHECK(x.attr_clear == MOUNT_ATTR_NOEXEC);
  CHECK(x.rec_attr_set == MOUNT_ATTR_NODEV);
}

TEST_CASE("both spellings of cgroup mean the container's own cgroups") {
  auto spec = base();
  const auto* const type = GENERATE("cgroup", "cgroup2");
  spec.mounts = {{"/sys/fs/cgroup", type, "cgroup", {"ro"}, {}, {}}};
  const auto x = compiled(spec).rootfs.mounts.at(1);
  CHECK(x.kind == mount_kind::cgroup);
  CHECK(x.attr_set == MOUNT_ATTR_RDONLY);
  CHECK(x.data.empty());
}

TEST_CASE("only a device gets a read-only superblock") {
  auto spec = base();
  spec.mounts = {{"/a", "ext4", "/dev/sda1", {"ro", "noload"}, {}, {}},
                 {"/b", "tmpfs", "tmpfs", {"ro", "tmpcopyup"}, {}, {}}};
  const auto mounts = compiled(spec).rootfs.mounts;
  CHECK(mounts.at(1).data == std::vector<std::string>{"noload", "ro"});
  CHECK(mounts.at(1).attr_set == MOUNT_ATTR_RDONLY);
  CHECK(mounts.at(2).data.empty());
  CHECK(mounts.at(2).copy_up);
}

TEST_CASE("mounts that miss what their kind needs are refused") {
  auto spec = base();
  spec.mounts = {{"/a", "", "x", {}, {}, {}}};
  CHECK(refusal(spec).what.starts_with("/mounts/0/type: missing"));
  spec.mounts = {bind("", "/a")};
  CHECK(refusal(spec).what.starts_with("/mounts/0/source: missing"));
}

// -- devices ------------------------------------------------------------------

TEST_CASE("every container has the spec's default devices and links") {
  const auto plan = compiled(base());
  const std::tuple<const char*, unsigned, unsigned> expected[] = {
    {"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};
  CHECK(plan.rootfs.devices.size() == std::size(expected));
  for (const auto& [path, major, minor] : expected) {
    INFO(path);
    const auto* x = find(plan, path);
    REQUIRE(x != nullptr);
    CHECK(*x == device{path, S_IFCHR | 0666, major, minor, 0, 0, ""});
  }
  CHECK(plan.rootfs.symlinks
        == std::vector<plan::symlink>{{"/dev/fd", "/proc/self/fd"},
                                      {"/dev/stdin", "/proc/self/fd/0"},
                                      {"/dev/stdout", "/proc/self/fd/1"},
                                      {"/dev/stderr", "/proc/self/fd/2"},
                                      {"/dev/ptmx", "pts/ptmx"},
                                      {"/dev/core", "/proc/kcore"}});
}

TEST_CASE("the spec's devices add to the defaults and override them") {
  auto spec = base();
  spec.linux_.devices = {{"b", "/dev/sda", 8, 0, 0600, 1, 2},
                         {"c", "/dev//null", 1, 5, {}, {}, {}},
                         {"p", "/run/fifo", {}, {}, 0644, {}, {}},
                         {"u", "/dev/tty9", 4, 9, {}, {}, {}},
                         {"c", "/dev/ptmx", 5, 2, {}, {}, {}}};
  const auto plan = compiled(spec);
  REQUIRE(find(plan, "/dev/sda") != nullptr);
  CHECK(*find(plan, "/dev/sda")
        == device{"/dev/sda", S_IFBLK | 0600, 8, 0, 1, 2, "/linux/devices/0"});
  CHECK(find(plan, "/dev/null")->minor == 5);
  CHECK(find(plan, "/dev/null")->origin == "/linux/devices/1");
  CHECK(find(plan, "/run/fifo")->mode == (S_IFIFO | 0644));
  CHECK(find(plan, "/dev/tty9")->mode == (S_IFCHR | 0666));
  CHECK(find(plan, "/dev/ptmx")
        == nullptr); // the container's own devpts has it
  CHECK(plan.rootfs.devices.size() == 9);
  CHECK(plan.rootfs.symlinks.size() == 6);
}

TEST_CASE("device numbers that no kernel has are refused") {
  auto spec = base();
  spec.linux_.devices = {{"c", "/dev/a", -1, 0, {}, {}, {}}};
  CHECK(refusal(spec).what
        == "/linux/devices/0/major: found -1, allowed is 0 to 4095");
  spec.linux_.devices = {{"c", "/dev/a", 1, 1 << 20, {}, {}, {}}};
  CHECK(refusal(spec).what.starts_with("/linux/devices/0/minor: found"));
  spec.linux_.devices = {{"b", "/dev/a", 1, {}, {}, {}, {}}};
  CHECK(refusal(spec).what.starts_with("/linux/devices/0/minor: missing"));
  spec.linux_.devices = {{"x", "/dev/a", 1, 1, {}, {}, {}}};
  CHECK(refusal(spec).what.starts_with("/linux/devices/0/type: found 'x'"));
}

TEST_CASE("a file system's value on a bind is a warning, not an option") {
  auto spec = base();
  spec.mounts = {bind("/a", "/a", {"rbind", "mode=755"})};
  const auto plan = compiled(spec);
  CHECK(plan.warnings
        == std::vector<std::string>{
          "/mounts/0/options/1: 'mode=755' has no effect on a bind mount"});
}

} // namespace troupe::compile_rootfs_test
