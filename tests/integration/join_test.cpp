#include "tests/support/box_spec.hpp"
#include "tests/support/dweller.hpp"

namespace troupe::join_test {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using kind = oci::namespace_kind;

namespace {

std::string ns_of(pid_t pid, const std::string& name) {
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/ns/"
                                       + name)
    .string();
}

void set_path(oci::spec& spec, kind of, const std::string& path) {
  for (auto& each : spec.linux_.namespaces)
    if (each.kind == of)
      each.path = path;
}

} // namespace

TEST_CASE("a path of another kind of namespace is refused, with its place") {
  test::busybox_rootfs fs;
  auto spec = test::box_spec("true");
  struct row {
    kind wanted;
    const char* path;
    const char* says;
  };
  const auto [wanted, path, says] = GENERATE(values<row>({
    {kind::pid, "/proc/self/ns/net", "a namespace of another type:"},
    {kind::network, "/proc/self/ns/uts", "a namespace of another type:"},
    {kind::mount, "/proc/self/ns/ipc", "a namespace of another type:"},
    {kind::ipc, "/etc/passwd", "not a namespace:"},
    {kind::uts, "/no/such/path", "open /no/such/path"},
  }));
  set_path(spec, wanted, path);
  const auto plan = test::planned(spec, fs);
  const auto why = test::refused_after([] {}, plan);
  CHECK_THAT(why.what, StartsWith("/linux/namespaces/"));
  CHECK_THAT(why.what, Contains(says));
}

TEST_CASE("a joined mount namespace gets the container's mounts, the host's "
          "is refused") {
  test::busybox_rootfs fs;
  const test::host_traces before;
  auto spec = test::box_spec("cat /proc/self/mounts; ls -d /usr; echo $$; "
                             "sleep 1000");
  SECTION("another one") {
    const test::dweller other{CLONE_NEWNS};
    set_path(spec, kind::mount, other.path("mnt"));
    auto box = test::create(test::planned(spec, fs));
    if (box.failed())
      FAIL(launch::to_failure(*box.failed(), nullptr).what);
    CHECK(ns_of(box.pid(), "mnt") == ns_of(other.pid(), "mnt"));
    REQUIRE_FALSE(box.start());
    std::string said;
    for (std::string line; line != "1"; said += line + "\n")
      line = box.read_line();
    CHECK_THAT(said, Contains("proc /proc proc"));
    CHECK_THAT(said, Contains("ls: /usr: No such file or directory"));
    // Whoever lives there keeps their own root.
    CHECK(std::filesystem::exists("/proc/" + std::to_string(other.pid())
                                  + "/root/usr"));
    box.kill();
    CHECK(box.wait().signal == SIGKILL);
  }
  SECTION("the host's own") {
    set_path(spec, kind::mount, "/proc/self/ns/mnt");
    const auto why = test::refused_after([] {}, test::planned(spec, fs));
    CHECK(why.os_errno == EINVAL);
    CHECK_THAT(why.what, Contains("the runtime's own mount namespace:"));
  }
  CHECK(before == test::host_traces{});
}

TEST_CASE("time and cgroup namespaces are joined") {
  test::busybox_rootfs fs;
  const test::dweller other{CLONE_NEWTIME | CLONE_NEWCGROUP};
  auto spec = test::box_spec("sleep 1000");
  spec.linux_.namespaces.push_back({kind::time, other.path("time")});
  spec.linux_.namespaces.push_back({kind::cgroup, other.path("cgroup")});
  auto box = test::create(test::planned(spec, fs));
  REQUIRE(box.created());
  REQUIRE_FALSE(box.start());
  CHECK(ns_of(box.pid(), "time") == ns_of(other.pid(), "time"));
  CHECK(ns_of(box.pid(), "cgroup") == ns_of(other.pid(), "cgroup"));
  box.kill();
  CHECK(box.wait().signal == SIGKILL);
}

TEST_CASE("both clocks of a new time namespace can be shifted") {
  test::busybox_rootfs fs;
  auto spec = test::box_spec("cat /proc/self/timens_offsets");
  spec.linux_.namespaces.push_back({kind::time, ""});
  spec.linux_.time_offsets = {{"monotonic", 172800, 5}, {"boottime", -1, 0}};
  const auto ran = test::run_spec(spec, fs);
  CHECK_THAT(ran.output, Contains("monotonic      172800         5"));
  CHECK_THAT(ran.output, Contains("boottime           -1         0"));
}

TEST_CASE("a container can keep every namespace of the host") {
  test::busybox_rootfs fs;
  const test::host_traces before;
  auto spec = test::box_spec("sleep 1000");
  spec.linux_.namespaces.clear();
  spec.mounts.clear();
  REQUIRE(::mknod((fs.root() / "dev/null").c_str(), S_IFCHR | 0666, 0x103)
          == 0);
  auto box = test::create(test::planned(spec, fs));
  REQUIRE(box.created());
  REQUIRE_FALSE(box.start());
  for (const auto* each :
       {"pid", "net", "mnt", "ipc", "uts", "user", "cgroup", "time"})
    CHECK(ns_of(box.pid(), each) == ns_of(::getpid(), each));
  box.kill();
  CHECK(box.wait().signal == SIGKILL);
  CHECK(before == test::host_traces{});
}

} // namespace troupe::join_test
