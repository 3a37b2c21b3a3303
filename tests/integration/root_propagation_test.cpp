#include "runtime/linux/file.hpp"
#include "tests/support/box_spec.hpp"
#include "tests/support/dweller.hpp"

#include <sstream>

namespace troupe::root_propagation_test {

using Catch::Matchers::Contains;
using test::bound;

namespace {

/// The optional fields of the last mount on `point`: "shared:3 master:1".
std::string propagation_of(const std::string& mountinfo,
                           const std::string& point) {
  auto lines = std::istringstream{mountinfo};
  std::string out = "none";
  for (std::string line; std::getline(lines, line);) {
    auto words = std::istringstream{line};
    std::string id, parent, device, root, where, options, field;
    words >> id >> parent >> device >> root >> where >> options;
    if (where != point)
      continue;
    out.clear();
    while (words >> field && field != "-")
      out += field.substr(0, field.find(':')) + " ";
  }
  return out;
}

/// The launcher's side is the namespace of `host`, which outlives it; there the
/// rootfs is a shared mount, and no other is, whatever systemd may do.
test::preparation on(const test::dweller& host,
                     const test::busybox_rootfs& fs) {
  return [&] {
    const auto ns = sys::open_file(AT_FDCWD, host.path("mnt"), O_RDONLY);
    test::must(ns
               && sys::enter_namespace(ns->get(), CLONE_NEWNS, "").has_value());
    test::must(::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr)
               == 0);
    const auto path = fs.path();
    test::must(::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr)
               == 0);
    test::must(::mount(nullptr, path.c_str(), nullptr, MS_SHARED, nullptr)
               == 0);
  };
}

/// A hook that mounts on the host, below the rootfs, while init waits.
oci::hook late_mount(const test::busybox_rootfs& fs) {
  return {"/bin/busybox",
          {"mount", "-t", "tmpfs", "late", fs.path() + "/data"},
          {},
          {}};
}

} // namespace

TEST_CASE("the root has the propagation that is asked for") {
  test::busybox_rootfs fs;
  struct row {
    const char* word;
    const char* root;
    const char* below; ///< Of a bind that says nothing.
    bool receives;
  };
  const auto [word, root, below, receives] = GENERATE(values<row>({
    {"", "", "", false},
    {"private", "", "", false},
    {"rprivate", "", "", false},
    {"slave", "master ", "", true},
    {"rslave", "master ", "", true},
    {"shared", "shared ", "", false},
    {"rshared", "shared ", "shared ", false},
    {"unbindable", "unbindable ", "", false},
    {"runbindable", "unbindable ", "unbindable ", false},
  }));
  CAPTURE(word);
  auto spec = test::box_spec("cat /proc/self/mountinfo");
  spec.linux_.rootfs_propagation = word;
  spec.linux_.readonly_paths = {"/etc"};
  spec.linux_.masked_paths = {"/etc/passwd", "/root"};
  spec.mounts.push_back(bound("/etc", "/b", {"bind"}));
  spec.hooks.create_runtime = {late_mount(fs)};
  const test::dweller host{CLONE_NEWNS};
  const auto ran = test::run_after(on(host, fs), test::planned(spec, fs));
  CHECK(propagation_of(ran.output, "/") == root);
  CHECK(propagation_of(ran.output, "/b") == below);
  CHECK(propagation_of(ran.output, "/etc").find("none") == std::string::npos);
  // What the hook mounted on the host, below the root.
  CHECK((ran.output.find(" /data ") != std::string::npos) == receives);
}

TEST_CASE("mounts in a shared root reach its other binds, an unbindable root "
          "has none") {
  test::busybox_rootfs fs;
  auto spec = test::box_spec(
    "mkdir -p /copy /m && mount -o bind / /copy && "
    "mount -t tmpfs tmpfs /m && touch /m/x && "
    "if test -e /copy/m/x; then echo exposed; else echo hidden; fi");
  const auto [word, says] = GENERATE(table<const char*, const char*>(
    {{"shared", "exposed\n"},
     {"slave", "hidden\n"},
     {"private", "hidden\n"},
     {"unbindable", "mount: mounting / on /copy failed: Invalid argument\n"}}));
  CAPTURE(word);
  spec.linux_.rootfs_propagation = word;
  CHECK(test::run_spec(spec, fs).output == says);
}

TEST_CASE("nothing that the container mounts reaches the host") {
  test::busybox_rootfs fs;
  auto spec = test::box_spec("mount -t tmpfs tmpfs /data");
  spec.linux_.rootfs_propagation = GENERATE("shared", "rshared", "slave");
  const test::dweller host{CLONE_NEWNS};
  const auto plan = test::planned(spec, fs);
  auto box = test::create_after(on(host, fs), plan);
  REQUIRE(box.created());
  REQUIRE_FALSE(box.start());
  CHECK(box.wait().code == 0);
  const auto mounts = test::host_traces::slurp(
    "/proc/" + std::to_string(host.pid()) + "/mountinfo");
  CHECK(propagation_of(mounts, fs.path()) == "shared ");
  CHECK(propagation_of(mounts, fs.path() + "/data") == "none");
}

TEST_CASE("without pivot_root the root is entered by chroot, and the host's "
          "mounts go") {
  test::busybox_rootfs fs;
  const test::host_traces before;
  auto spec = test::box_spec("cat /proc/self/mountinfo; ls -d /work /usr; "
                             "touch /data/mine && pwd");
  auto plan = test::planned(spec, fs);
  plan.rootfs.no_pivot = true;
  const auto ran = test::run(plan);
  CHECK_THAT(ran.output, Contains(" /proc ") && Contains("\n/\n"));
  CHECK_THAT(ran.output, Contains("ls: /usr: No such file or directory"));
  CHECK(std::filesystem::exists(fs.root() / "data/mine"));
  CHECK(before == test::host_traces{});
  // Its namespace has the host's root under the container's, and nothing more.
  auto box = test::create(plan);
  REQUIRE(box.created());
  const auto enter = "/usr/bin/nsenter --mount=/proc/"
                     + std::to_string(box.pid()) + "/ns/mnt /bin/true";
  CHECK(std::system(enter.c_str()) == 0);
}

TEST_CASE("a read-only root keeps the mounts on it writable") {
  test::busybox_rootfs fs;
  auto spec = test::box_spec(
    "touch /x; touch /data/x && touch /dev/x && echo fine");
  spec.root->readonly = true;
  spec.linux_.rootfs_propagation = GENERATE("", "unbindable", "rshared");
  spec.mounts.push_back({"/data", "tmpfs", "tmpfs", {}, {}, {}});
  const auto ran = test::run_spec(spec, fs);
  CHECK(ran.output == "touch: /x: Read-only file system\nfine\n");
}

} // namespace troupe::root_propagation_test
