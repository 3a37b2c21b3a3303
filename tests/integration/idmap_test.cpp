#include "tests/support/box_spec.hpp"
#include "tests/support/skipped.hpp"

#include <sstream>
#include <sys/utsname.h>
#include <utility>

namespace troupe::idmap_test {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using test::bound;
using kind = oci::namespace_kind;

namespace {

/// `v/file` of the host belongs to 1000:1001, and so does `v/sub/file`, which
/// is on a mount of its own.
struct volume {
  explicit volume(const test::busybox_rootfs& fs) : path(fs.bundle() + "/v") {
    std::filesystem::create_directories(path + "/sub");
    make(path + "/file");
  }

  static void make(const std::string& file) {
    std::ofstream{file} << "text\n";
    test::must(::chown(file.c_str(), 1000, 1001) == 0);
  }

  void mount() const {
    test::own_mounts();
    test::mount_tmpfs(path + "/sub");
    make(path + "/sub/file");
  }

  std::string path;
};

oci::mount mapped(const volume& host, std::vector<std::string> options) {
  auto out = bound(host.path, "/v", std::move(options));
  out.uid_mappings = {{1000, 5000, 1}};
  out.gid_mappings = {{1001, 6000, 1}};
  return out;
}

std::string owners(const oci::spec& spec, const test::busybox_rootfs& fs,
                   const volume& host) {
  return test::run_after([&] { host.mount(); }, test::planned(spec, fs)).output;
}

void give_to_root_of(const test::busybox_rootfs& fs, uid_t uid, gid_t gid) {
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator{fs.root()})
    REQUIRE(::lchown(entry.path().c_str(), uid, gid) == 0);
  REQUIRE(::chown(fs.path().c_str(), uid, gid) == 0);
}

/// tmpfs has mapped ids since Linux 6.3; where not, tells so.
bool tmpfs_maps_ids() {
  utsname kernel{};
  test::must(::uname(&kernel) == 0);
  auto version = std::istringstream{kernel.release};
  auto major = 0;
  auto minor = 0;
  auto dot = '.';
  version >> major >> dot >> minor;
  if (std::pair{major, minor} >= std::pair{6, 3})
    return true;
  test::skipped("this kernel's tmpfs cannot be idmapped");
  return false;
}

} // namespace

TEST_CASE("a mount's own mappings show its files as other users'") {
  test::busybox_rootfs fs;
  const volume host{fs};
  auto spec = test::box_spec("stat -c %u:%g /v/file /v/sub/file");
  SECTION("idmap: the mount alone") {
    spec.mounts.push_back(mapped(host, {"rbind", "idmap"}));
    CHECK(owners(spec, fs, host) == "5000:6000\n1000:1001\n");
  }
  SECTION("ridmap: those below it, too") {
    if (!tmpfs_maps_ids())
      return;
    spec.mounts.push_back(mapped(host, {"rbind", "ridmap"}));
    CHECK(owners(spec, fs, host) == "5000:6000\n5000:6000\n");
  }
  SECTION("mappings without a word mean idmap") {
    spec.mounts.push_back(mapped(host, {"rbind"}));
    CHECK(owners(spec, fs, host) == "5000:6000\n1000:1001\n");
  }
}

TEST_CASE("a file system can be made idmapped") {
  if (!tmpfs_maps_ids())
    return;
  test::busybox_rootfs fs;
  auto spec = test::box_spec("touch /t/mine; stat -c %u:%g /t/mine");
  oci::mount tmpfs{"/t", "tmpfs", "tmpfs", {"idmap", "mode=1777"}, {}, {}};
  tmpfs.uid_mappings = {{0, 1000, 1}, {7, 0, 1}};
  tmpfs.gid_mappings = {{0, 1000, 1}, {7, 0, 1}};
  spec.mounts.push_back(tmpfs);
  CHECK(test::run_spec(spec, fs).output == "0:0\n");
}

TEST_CASE("without mappings the container's own are used") {
  test::busybox_rootfs fs;
  const auto volume = fs.bundle() + "/volume";
  std::filesystem::create_directory(volume);
  std::ofstream{volume + "/of-root"} << "text\n";
  give_to_root_of(fs, 100000, 200000);
  auto spec = test::box_spec("stat -c %u:%g /v/of-root; touch /v/new");
  spec.linux_.namespaces.push_back({kind::user, ""});
  spec.linux_.uid_mappings = {{0, 100000, 65536}};
  spec.linux_.gid_mappings = {{0, 200000, 65536}};
  spec.mounts.push_back(bound(volume, "/v", {"bind", "idmap"}));
  CHECK(test::run_spec(spec, fs).output == "0:0\n");
  struct stat info {};
  REQUIRE(::stat((volume + "/new").c_str(), &info) == 0);
  CHECK(info.st_uid == 0);
  CHECK(info.st_gid == 0);
}

TEST_CASE("without mappings those of a joined user namespace are used") {
  test::busybox_rootfs fs;
  const auto volume = fs.bundle() + "/volume";
  std::filesystem::create_directory(volume);
  std::ofstream{volume + "/of-root"} << "text\n";
  give_to_root_of(fs, 100000, 200000);
  auto spec = test::box_spec("sleep 1000");
  spec.linux_.namespaces.push_back({kind::user, ""});
  spec.linux_.uid_mappings = {{0, 100000, 65536}};
  spec.linux_.gid_mappings = {{0, 200000, 65536}};
  const auto first = test::create(test::planned(spec, fs));
  REQUIRE(first.created());
  spec.linux_.namespaces.back().path = "/proc/" + std::to_string(first.pid())
                                       + "/ns/user";
  spec.linux_.uid_mappings.clear();
  spec.linux_.gid_mappings.clear();
  spec.process->args = {"stat", "-c", "%u:%g", "/v/of-root"};
  spec.mounts.push_back(bound(volume, "/v", {"bind", "idmap"}));
  CHECK(test::run_spec(spec, fs).output == "0:0\n");
}

TEST_CASE("what cannot be idmapped is refused with its place", "[rule-7]") {
  test::busybox_rootfs fs;
  auto spec = test::box_spec("true");
  auto mount = bound("/proc", "/v", {"bind", "idmap"});
  mount.uid_mappings = mount.gid_mappings = {{0, 1000, 1}};
  spec.mounts.push_back(mount);
  const auto why = test::refused_after([] {}, test::planned(spec, fs));
  CHECK(why.os_errno == EINVAL);
  CHECK_THAT(
    why.what,
    StartsWith("/mounts/2: mount /v: idmap: not for this file system"));
}

} // namespace troupe::idmap_test
