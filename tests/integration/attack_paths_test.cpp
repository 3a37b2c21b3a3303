#include "tests/support/box_spec.hpp"

// Masked paths, procfs and working directories that are not what they seem.
// Each test shows that the host was not touched.

namespace troupe::attack_paths_test {

using Catch::Matchers::Contains;
using test::bound;

namespace {

std::string host_file(const test::busybox_rootfs& fs) {
  const auto path = fs.bundle() + "/host-file";
  std::ofstream{path} << "of the host\n";
  return path;
}

} // namespace

TEST_CASE("masked and read-only paths behind links stay in the root",
          "[rule-1]") {
  test::busybox_rootfs fs;
  const auto host = host_file(fs);
  const test::host_traces clean;
  fs.write("data/secret", "secret\n");
  std::filesystem::create_symlink("../data/secret", fs.root() / "etc/inside");
  std::filesystem::create_symlink(host, fs.root() / "etc/absolute");
  std::filesystem::create_symlink("../../../../../../.." + host,
                                  fs.root() / "etc/relative");
  auto spec = test::box_spec("cat /data/secret; touch /data/secret");
  spec.linux_.masked_paths = {"/etc/inside", "/etc/absolute", "/etc/relative"};
  spec.linux_.readonly_paths = {"/etc/absolute", "/etc/relative"};
  const auto ran = test::run_spec(spec, fs);
  CHECK_THAT(ran.output, !Contains("secret\n"));
  CHECK(test::host_traces::slurp(host) == "of the host\n");
  CHECK(::access(host.c_str(), W_OK) == 0);
  CHECK(clean == test::host_traces{});
}

TEST_CASE("a guarded path is not followed through the process's own links",
          "[rule-1]") {
  test::busybox_rootfs fs;
  const auto host = host_file(fs);
  const auto* const link = GENERATE("/proc/self/root", "/proc/self/cwd/x",
                                    "/proc/1/fd/0", "/proc/self/exe");
  std::filesystem::create_symlink(link, fs.root() / "etc/magic");
  auto spec = test::box_spec("true");
  SECTION("masked") {
    spec.linux_.masked_paths = {"/etc/magic"};
  }
  SECTION("read-only") {
    spec.linux_.readonly_paths = {"/etc/magic"};
  }
  const auto why = test::refused_after([] {}, test::planned(spec, fs));
  CHECK(why.os_errno == ELOOP);
  CHECK(test::host_traces::slurp(host) == "of the host\n");
}

TEST_CASE("a sysctl is written to the kernel, whatever lies on /proc",
          "[rule-2]") {
  test::busybox_rootfs fs;
  const auto host = host_file(fs);
  const auto forward = test::host_traces::slurp(
    "/proc/sys/net/ipv4/ip_forward");
  auto spec = test::box_spec("cat /real/sys/net/ipv4/ip_forward");
  spec.mounts.push_back({"/real", "proc", "proc", {}, {}, {}});
  spec.linux_.sysctl = {{"net.ipv4.ip_forward", "1"}};
  SECTION("a tmpfs with a copy of the tree") {
    std::filesystem::create_directories(fs.root() / "proc/sys/net/ipv4");
    std::filesystem::create_symlink(host,
                                    fs.root() / "proc/sys/net/ipv4/ip_forward");
    spec.mounts[0] = {"/proc", "tmpfs", "tmpfs", {"tmpcopyup"}, {}, {}};
  }
  SECTION("a bind of a host's file on the very sysctl") {
    spec.mounts.push_back(
      bound(host, "/proc/sys/net/ipv4/ip_forward", {"bind"}));
  }
  SECTION("a tmpfs over procfs") {
    spec.mounts.push_back({"/proc", "tmpfs", "tmpfs", {}, {}, {}});
  }
  CHECK(test::run_spec(spec, fs).output == "1\n");
  CHECK(test::host_traces::slurp(host) == "of the host\n");
  CHECK(test::host_traces::slurp("/proc/sys/net/ipv4/ip_forward") == forward);
}

TEST_CASE("no working directory lies outside of the root", "[rule-5]") {
  test::busybox_rootfs fs;
  const auto host = host_file(fs);
  // Descriptors of the host's directories, as a caller may leak them.
  const sys::unique_fd leaked{::open("/", O_RDONLY | O_DIRECTORY)};
  auto spec = test::box_spec("pwd; ls -d usr work");
  const auto fd = std::to_string(leaked.get());
  SECTION("through a leaked descriptor") {
    spec.process->cwd = GENERATE_COPY(
      as<std::string>{}, "/proc/self/fd/" + fd, "/proc/self/fd/" + fd + "/tmp",
      "/proc/self/cwd", "/proc/thread-self/fd/" + fd);
    const auto why = test::refused_after([] {}, test::planned(spec, fs));
    CHECK(why.os_errno == ELOOP);
  }
  SECTION("through a link of the image to one") {
    std::filesystem::create_symlink("/proc/self/fd/" + fd,
                                    fs.root() / "data/work");
    spec.process->cwd = "/data/work";
    const auto why = test::refused_after([] {}, test::planned(spec, fs));
    CHECK(why.os_errno == ELOOP);
  }
  SECTION("by climbing") {
    spec.process->cwd = GENERATE("/data/../../../../..", "/proc/self/root/..");
    const auto ran = test::run_spec(spec, fs);
    CHECK_THAT(ran.output, Catch::Matchers::StartsWith("/\n"));
    CHECK_THAT(ran.output, Contains("ls: usr: No such file or directory"));
  }
  SECTION("through a link that climbs, which ends inside") {
    std::filesystem::create_symlink("../../../../../..", fs.root() / "data/up");
    spec.process->cwd = "/data/up";
    const auto ran = test::run_spec(spec, fs);
    CHECK_THAT(ran.output, Contains("ls: usr: No such file or directory"));
  }
  CHECK(test::host_traces::slurp(host) == "of the host\n");
}

} // namespace troupe::attack_paths_test
