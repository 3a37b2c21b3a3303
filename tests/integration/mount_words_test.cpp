#include "tests/support/box_spec.hpp"

#include <algorithm>
#include <sstream>
#include <sys/socket.h>
#include <sys/un.h>

namespace troupe::mount_words_test {

using Catch::Matchers::Contains;
using test::bound;

namespace {

/// Of the last mount on `point`: its own options and its optional fields.
std::string words_of(const std::string& mountinfo, const std::string& point) {
  auto lines = std::istringstream{mountinfo};
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    auto words = std::istringstream{line};
    std::string id, parent, device, root, where, options;
    words >> id >> parent >> device >> root >> where >> options;
    if (where == point)
      out = options;
  }
  return out;
}

/// A directory of the host with a file system mounted below it, `sub`.
struct volume {
  explicit volume(const test::busybox_rootfs& fs) : path(fs.bundle() + "/v") {
    std::filesystem::create_directories(path + "/sub");
  }

  void mount(unsigned long flags = 0) const {
    test::own_mounts();
    test::must(::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr)
               == 0);
    if (flags != 0)
      test::must(::mount(nullptr, path.c_str(), nullptr,
                         MS_BIND | MS_REMOUNT | flags, nullptr)
                 == 0);
    test::mount_tmpfs(path + "/sub", flags);
  }

  std::string path;
};

} // namespace

TEST_CASE("words with an r reach the mounts below, the others one mount") {
  test::busybox_rootfs fs;
  const volume host{fs};
  struct row {
    std::vector<std::string> options;
    const char* top;
    const char* sub;
  };
  const auto [options, top, sub] = GENERATE(values<row>({
    {{"rbind"}, "rw,relatime", "rw,relatime"},
    {{"rbind", "ro"}, "ro,relatime", "rw,relatime"},
    {{"rbind", "rro"}, "ro,relatime", "ro,relatime"},
    {{"rbind", "rro", "rw"}, "rw,relatime", "ro,relatime"},
    {{"rbind", "ro", "rrw"}, "rw,relatime", "rw,relatime"},
    {{"rbind", "rnosuid", "rnodev", "rnoexec"},
     "rw,nosuid,nodev,noexec,relatime",
     "rw,nosuid,nodev,noexec,relatime"},
    {{"rbind", "nosuid", "nodev", "noexec"},
     "rw,nosuid,nodev,noexec,relatime",
     "rw,relatime"},
    {{"rbind", "rnoatime", "rnodiratime"},
     "rw,noatime,nodiratime",
     "rw,noatime,nodiratime"},
    {{"rbind", "noatime"}, "rw,noatime", "rw,relatime"},
    {{"rbind", "rstrictatime"}, "rw", "rw"},
    {{"rbind", "rnosymfollow"},
     "rw,relatime,nosymfollow",
     "rw,relatime,nosymfollow"},
    {{"rbind", "nosymfollow", "norelatime"},
     "rw,relatime,nosymfollow",
     "rw,relatime"},
    {{"bind", "rro"}, "ro,relatime", ""},
  }));
  auto spec = test::box_spec("cat /proc/self/mountinfo");
  spec.mounts.push_back(bound(host.path, "/v", options));
  const auto ran = test::run_after([&] { host.mount(); },
                                   test::planned(spec, fs));
  CAPTURE(options.back());
  CHECK(words_of(ran.output, "/v") == top);
  CHECK(words_of(ran.output, "/v/sub") == sub);
}

TEST_CASE("the opposite words take away what the host's mount has") {
  test::busybox_rootfs fs;
  const volume host{fs};
  auto spec = test::box_spec("cat /proc/self/mountinfo");
  spec.mounts.push_back(
    bound(host.path, "/one", {"rbind", "rw", "suid", "dev", "exec"}));
  spec.mounts.push_back(
    bound(host.path, "/all", {"rbind", "rrw", "rsuid", "rdev", "rexec"}));
  constexpr auto all = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const auto ran = test::run_after([&] { host.mount(all); },
                                   test::planned(spec, fs));
  CHECK(words_of(ran.output, "/one") == "rw,relatime");
  CHECK(words_of(ran.output, "/one/sub") == "ro,nosuid,nodev,noexec,relatime");
  CHECK(words_of(ran.output, "/all") == "rw,relatime");
  CHECK(words_of(ran.output, "/all/sub") == "rw,relatime");
}

TEST_CASE("remount changes the mount that is there, and its file system") {
  test::busybox_rootfs fs;
  auto spec = test::box_spec("grep ' /data ' /proc/self/mountinfo; touch "
                             "/data/x");
  spec.mounts.push_back({"/data", "tmpfs", "tmpfs", {"size=64k"}, {}, {}});
  oci::mount again{"/data", "", "", {"remount", "ro", "noexec"}, {}, {}};
  SECTION("its flags") {
    spec.mounts.push_back(again);
    const auto ran = test::run_spec(spec, fs);
    CHECK_THAT(ran.output, Contains(" /data ro,noexec,relatime"));
    CHECK_THAT(ran.output, Contains("size=64k"));
    CHECK_THAT(ran.output, Contains("Read-only file system"));
  }
  SECTION("and the superblock's options") {
    again.options.emplace_back("size=128k");
    spec.mounts.push_back(again);
    CHECK_THAT(test::run_spec(spec, fs).output, Contains("size=128k"));
  }
  SECTION("but not those, for a remount of a bind") {
    again.options = {"remount", "bind", "ro", "sync"};
    spec.mounts.push_back(again);
    CHECK_THAT(test::run_spec(spec, fs).output, Contains(" /data ro,relatime"));
  }
  SECTION("the root, too") {
    again.destination = "/";
    again.options = {"remount", "nosuid"};
    spec.mounts.push_back(again);
    spec.process->args = {"cat", "/proc/self/mountinfo"};
    CHECK(words_of(test::run_spec(spec, fs).output, "/")
          == "rw,nosuid,relatime");
  }
  SECTION("nothing where nothing is mounted") {
    again.destination = "/etc";
    spec.mounts.push_back(again);
    const auto why = test::refused_after([] {}, test::planned(spec, fs));
    CHECK(why.os_errno == EINVAL);
    CHECK_THAT(why.what, Contains("/mounts/3: mount /etc: remount: nothing is "
                                  "mounted on: /etc")
                           || Contains("/mounts/3: mount /etc: remount: "
                                       "nothing is mounted on /etc"));
  }
  SECTION("and no symlink of the image chooses which") {
    std::filesystem::create_directory_symlink("/data", fs.root() / "link");
    again.destination = "/link";
    spec.mounts.push_back(again);
    CHECK(test::refused_after([] {}, test::planned(spec, fs)).os_errno
          == ELOOP);
  }
}

TEST_CASE("files, sockets, fifos and devices can be bound") {
  test::busybox_rootfs fs;
  const auto host = fs.bundle() + "/host";
  std::filesystem::create_directory(host);
  std::ofstream{host + "/file"} << "content\n";
  REQUIRE(::mkfifo((host + "/fifo").c_str(), 0600) == 0);
  const sys::unique_fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  (host + "/socket").copy(name.sun_path, sizeof(name.sun_path) - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name))
          == 0);
  auto spec = test::box_spec(
    "cat /a/file; stat -c %F /a/socket /a/fifo /a/null; stat -c %F /there");
  for (const auto* each : {"file", "socket", "fifo"})
    spec.mounts.push_back(
      bound(host + "/" + each, std::string{"/a/"} + each, {"bind", "ro"}));
  spec.mounts.push_back(bound("/dev/null", "/a/null", {"bind"}));
  fs.write("there", "of the image");
  spec.mounts.push_back(bound(host + "/socket", "/there", {"bind"}));
  CHECK(test::run_spec(spec, fs).output
        == "content\nsocket\nfifo\ncharacter special file\nsocket\n");
}

TEST_CASE("a file is bound behind a symlink to nowhere, inside the root") {
  test::busybox_rootfs fs;
  const auto host = fs.bundle() + "/host";
  std::ofstream{host} << "nameserver\n";
  const auto outside = fs.bundle() + "/outside";
  std::filesystem::create_symlink("../run/stub/resolv.conf",
                                  fs.root() / "etc/resolv.conf");
  std::filesystem::create_symlink(outside, fs.root() / "etc/hosts");
  std::filesystem::create_symlink("../../../../../.." + outside,
                                  fs.root() / "etc/hostname");
  auto spec = test::box_spec("cat /etc/resolv.conf /etc/hosts /etc/hostname; "
                             "cat /run/stub/resolv.conf");
  for (const auto* each : {"resolv.conf", "hosts", "hostname"})
    spec.mounts.push_back(bound(host, std::string{"/etc/"} + each, {"bind"}));
  CHECK(test::run_spec(spec, fs).output
        == "nameserver\nnameserver\nnameserver\nnameserver\n");
  CHECK_FALSE(std::filesystem::exists(outside));
}

TEST_CASE("an overlay may have more layers than fsconfig takes in one value") {
  test::busybox_rootfs fs;
  std::string lower;
  for (auto i = 0; i < 12; ++i) {
    const auto layer = fs.bundle() + "/layer-" + std::string(20, 'x')
                       + std::to_string(i);
    std::filesystem::create_directory(layer);
    std::ofstream{layer + "/file"} << i << "\n";
    std::ofstream{layer + "/of-" + std::to_string(i)} << i << "\n";
    lower += (i == 0 ? "" : ":") + layer;
  }
  REQUIRE(lower.size() > 255);
  auto spec = test::box_spec("cat /o/file /o/of-11; touch /o/x; "
                             "grep -c tmpfs /proc/self/mounts");
  spec.mounts.push_back(
    {"/o", "overlay", "overlay", {"lowerdir=" + lower, "ro"}, {}, {}});
  const auto ran = test::run_spec(spec, fs);
  CHECK_THAT(ran.output, Contains("0\n11\n"));
  CHECK_THAT(ran.output, Contains("Read-only file system"));
  CHECK_THAT(ran.output, Catch::Matchers::EndsWith("\n1\n")); // /dev alone
}

TEST_CASE("an option that the file system does not know fails with its place",
          "[rule-7]") {
  test::busybox_rootfs fs;
  auto spec = test::box_spec("true");
  spec.mounts.push_back({"/data", "tmpfs", "tmpfs", {"frobnicate=1"}, {}, {}});
  const auto why = test::refused_after([] {}, test::planned(spec, fs));
  CHECK(why.what.starts_with("/mounts/2: mount /data: fsconfig frobnicate=1"));
  CHECK_THAT(why.what, Contains("Unknown parameter 'frobnicate'"));
}

TEST_CASE("what mount(8) keeps for itself does not reach the kernel") {
  test::busybox_rootfs fs;
  auto spec = test::box_spec("grep ' /data ' /proc/self/mounts");
  spec.mounts.push_back({"/data",
                         "tmpfs",
                         "tmpfs",
                         {"x-mount.mkdir", "_netdev", "nofail", "noatime"},
                         {},
                         {}});
  CHECK_THAT(test::run_spec(spec, fs).output,
             Contains("tmpfs /data tmpfs rw,noatime"));
}

} // namespace troupe::mount_words_test
