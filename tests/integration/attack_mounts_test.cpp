#include "tests/support/box_spec.hpp"
#include "tests/support/repeats.hpp"

#include <linux/fs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

// A hostile image, or whoever shares a volume with the container, against the
// mounts of its start. Each test shows that the host was not touched.

namespace troupe::attack_mounts_test {

using Catch::Matchers::Contains;
using test::bound;

namespace {

/// A directory of the host beside the bundle's root, with a file in it, which
/// nobody may change or mount on.
class outside {
public:
  explicit outside(const test::busybox_rootfs& fs)
    : path_(fs.bundle() + "/outside") {
    std::filesystem::create_directory(path_);
    std::ofstream{path_ + "/file"} << "of the host\n";
    before_ = state();
  }

  [[nodiscard]] const std::string& path() const {
    return path_;
  }

  [[nodiscard]] bool is_untouched() const {
    return state() == before_;
  }

private:
  [[nodiscard]] std::string state() const {
    auto out = test::host_traces::slurp(path_ + "/file");
    for (const auto& each : std::filesystem::directory_iterator{path_}) {
      struct stat info {};
      REQUIRE(::lstat(each.path().c_str(), &info) == 0);
      out += each.path().string() + " " + std::to_string(info.st_mode) + " "
             + std::to_string(info.st_uid) + "\n";
    }
    return out;
  }

  std::string path_;
  std::string before_;
};

/// A process that swaps `a` and `b` for as long as the object lives.
class swapper {
public:
  swapper(std::string a, std::string b) : a_(std::move(a)), b_(std::move(b)) {
    child_ = sys::clone_process(sys::parentage::own, 0, -1).value();
    if (child_.pid != 0)
      return;
    for (;;)
      if (::syscall(SYS_renameat2, AT_FDCWD, a_.c_str(), AT_FDCWD, b_.c_str(),
                    RENAME_EXCHANGE)
          != 0)
        ::_exit(1);
  }

  swapper(const swapper&) = delete;
  swapper& operator=(const swapper&) = delete;

  ~swapper() {
    (void)sys::send_signal(child_.pidfd.get(), SIGKILL);
    const auto ended = sys::wait_for_exit(child_.pidfd.get());
    CHECK((ended && ended->signal == SIGKILL)); // it swapped to the end
  }

private:
  std::string a_;
  std::string b_;
  sys::cloned child_;
};

struct tally {
  int created = 0;
  int refused = 0;
};

/// Starts the container again and again, whether it can be created or not.
tally start_often(const plan::launch_plan& plan, int times) {
  tally out;
  for (auto i = 0; i < times; ++i) {
    auto box = test::create(plan);
    ++(box.created() ? out.created : out.refused);
    if (box.created())
      REQUIRE_FALSE(box.start());
    if (box.pidfd() >= 0)
      box.wait();
  }
  return out;
}

} // namespace

TEST_CASE("mount targets that are swapped with symlinks during the start stay "
          "in the root",
          "[rule-1]") {
  test::busybox_rootfs fs;
  const outside host{fs};
  const auto real = fs.path() + "/data/real";
  const auto link = fs.path() + "/data/link";
  std::filesystem::create_directory(real);
  const auto* const where = GENERATE("absolute", "relative", "root");
  std::filesystem::create_symlink(std::string{where} == "absolute" ? host.path()
                                  : std::string{where} == "relative"
                                    ? "../../../../../../.." + host.path()
                                    : "/../..",
                                  link);
  auto spec = test::box_spec("true");
  spec.mounts.push_back({"/data/real", "tmpfs", "tmpfs", {}, {}, {}});
  spec.mounts.push_back({"/data/real/in", "tmpfs", "tmpfs", {}, {}, {}});
  spec.mounts.push_back(bound("/etc/hostname", "/data/link/file", {"bind"}));
  spec.mounts.push_back(bound("/etc", "/data/link/new/etc", {"rbind", "ro"}));
  spec.linux_.masked_paths = {"/data/real/file", "/data/link/file"};
  spec.linux_.readonly_paths = {"/data/link", "/data/real"};
  spec.linux_.devices = {{"c", "/data/real/node", 1, 3, {}, {}, {}}};
  const auto plan = test::planned(spec, fs);
  const test::host_traces clean;
  tally seen;
  {
    const swapper racing{real, link};
    seen = start_often(plan, test::repeats(40));
  }
  CAPTURE(where, seen.created, seen.refused);
  CHECK(seen.created + seen.refused == test::repeats(40));
  CHECK(host.is_untouched());
  CHECK(clean == test::host_traces{});
}

TEST_CASE("hostile links, files and fifos in the place of the kernel's "
          "directories lead nowhere",
          "[rule-1]") {
  test::busybox_rootfs fs;
  const outside host{fs};
  const test::host_traces clean;
  const auto* const name = GENERATE("dev", "proc", "sys", "etc", "data");
  const auto* const made = GENERATE("absolute", "relative", "file", "fifo",
                                    "loop", "proc");
  CAPTURE(name, made);
  const auto path = fs.root() / name;
  std::filesystem::remove_all(path);
  const auto kind = std::string{made};
  if (kind == "absolute")
    std::filesystem::create_symlink(host.path(), path);
  else if (kind == "relative")
    std::filesystem::create_symlink("../../../../../../.." + host.path(), path);
  else if (kind == "file")
    fs.write(name, "no directory");
  else if (kind == "fifo")
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  else if (kind == "loop")
    std::filesystem::create_symlink(name, path);
  else
    std::filesystem::create_symlink("/proc/self/root", path);
  auto spec = test::box_spec("true");
  spec.mounts.push_back({"/dev/shm", "tmpfs", "shm", {}, {}, {}});
  spec.mounts.push_back(bound("/etc/hostname", "/etc/hostname", {"bind"}));
  spec.mounts.push_back({"/data", "tmpfs", "tmpfs", {"tmpcopyup"}, {}, {}});
  spec.linux_.masked_paths = {"/proc/kcore", "/etc/file", "/dev/file"};
  spec.linux_.readonly_paths = {"/proc/sys", "/etc"};
  spec.linux_.sysctl = {{"net.ipv4.ip_forward", "1"}};
  const auto seen = start_often(test::planned(spec, fs), 1);
  if (kind == "file" || kind == "fifo" || kind == "loop")
    CHECK(seen.refused == 1);
  CHECK(host.is_untouched());
  CHECK(clean == test::host_traces{});
}

TEST_CASE("a hostile /dev of the image is never used", "[rule-3]") {
  test::busybox_rootfs fs;
  const outside host{fs};
  for (const auto* each : {"null", "console", "zero", "tty", "ptmx"})
    std::filesystem::create_symlink(host.path() + "/file",
                                    fs.root() / "dev" / each);
  std::filesystem::create_symlink(host.path(), fs.root() / "dev/pts");
  REQUIRE(::mkfifo((fs.root() / "dev/full").c_str(), 0600) == 0);
  auto spec = test::box_spec(
    "echo written > /dev/null; stat -c '%n %F %t:%T' /dev/null /dev/full; "
    "cat /etc/passwd; ls /dev");
  spec.mounts.push_back(
    {"/dev/pts", "devpts", "devpts", {"newinstance"}, {}, {}});
  spec.linux_.masked_paths = {"/etc/passwd"};
  const auto ran = test::run_spec(spec, fs);
  CHECK_THAT(ran.output, Contains("/dev/null character special file 1:3\n"
                                  "/dev/full character special file 1:7\n"));
  CHECK_THAT(ran.output, !Contains("root:x") && !Contains("console"));
  CHECK(host.is_untouched());
}

TEST_CASE("masks are made of the real /dev/null or not at all", "[rule-3]") {
  test::busybox_rootfs fs;
  const outside host{fs};
  const auto volume = fs.bundle() + "/volume"; // mounted as the whole /dev
  std::filesystem::create_directory(volume);
  const auto null = volume + "/null";
  SECTION("a link to a file") {
    std::filesystem::create_symlink(host.path() + "/file", null);
  }
  SECTION("a file") {
    std::ofstream{null} << "";
  }
  SECTION("a fifo") {
    REQUIRE(::mkfifo(null.c_str(), 0600) == 0);
  }
  SECTION("another device") {
    REQUIRE(::mknod(null.c_str(), S_IFCHR | 0666, makedev(1, 5)) == 0);
  }
  SECTION("a link to the process's own memory") {
    std::filesystem::create_symlink("/proc/self/mem", null);
  }
  auto spec = test::box_spec("true");
  spec.mounts.push_back(bound(volume, "/dev", {"bind"}));
  spec.linux_.masked_paths = {"/etc/passwd"};
  const auto why = test::refused_after([] {}, test::planned(spec, fs));
  CHECK(why.what.starts_with("/linux/maskedPaths/0: "));
  CHECK(host.is_untouched());
}

TEST_CASE("a device is not made where something else is", "[rule-3]") {
  test::busybox_rootfs fs;
  const outside host{fs};
  const auto node = fs.root() / "data/node";
  SECTION("a link out of the root") {
    std::filesystem::create_symlink(host.path() + "/node", node);
  }
  SECTION("a link to a file") {
    std::filesystem::create_symlink(host.path() + "/file", node);
  }
  SECTION("another device") {
    REQUIRE(::mknod(node.c_str(), S_IFCHR | 0666, makedev(1, 5)) == 0);
  }
  SECTION("a file") {
    fs.write("data/node", "");
  }
  auto spec = test::box_spec("true");
  spec.linux_.devices = {{"c", "/data/node", 1, 3, {}, {}, {}}};
  const auto why = test::refused_after([] {}, test::planned(spec, fs));
  CHECK(why.os_errno == EEXIST);
  CHECK(why.what.starts_with("/linux/devices/0: device /data/node: "));
  CHECK(host.is_untouched());
}

} // namespace troupe::attack_mounts_test
