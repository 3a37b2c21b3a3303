#include "runtime/linux/file.hpp"
#include "tests/support/box_spec.hpp"
#include "tests/support/dweller.hpp"

namespace troupe::net_devices_test {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using kind = oci::namespace_kind;

namespace {

void shell(const std::string& script) {
  const auto command = "PATH=/usr/sbin:/usr/bin:/sbin:/bin; set -e; " + script;
  test::must(std::system(command.c_str()) == 0);
}

/// A network namespace that stands for the host's. It outlives the launcher:
/// with the other end of a veth device this one would vanish, too.
class network {
public:
  /// Enters it, and makes `v0` there.
  [[nodiscard]] test::preparation with_devices() const {
    return [this] {
      const auto ns = sys::open_file(AT_FDCWD, dweller_.path("net"), O_RDONLY);
      test::must(
        ns && sys::enter_namespace(ns->get(), CLONE_NEWNET, "").has_value());
      make_devices();
    };
  }

private:
  static void make_devices();
  test::dweller dweller_{CLONE_NEWNET};
};

void network::make_devices() {
  shell("busybox ip link add v0 type veth;" // its peer is veth0
        "busybox ip addr add 10.11.12.13/24 brd 10.11.12.255 dev v0;"
        "busybox ip addr add 10.99.0.1/32 dev v0 scope link;"
        "busybox ip -6 addr add fd00:5::7/64 dev v0;"
        "busybox ip link set v0 up; busybox ip link set veth0 up");
}

oci::spec with_device(const std::string& script, const std::string& name) {
  auto spec = test::box_spec(script);
  spec.linux_.net_devices = {{"v0", name}};
  return spec;
}

} // namespace

TEST_CASE("a network device moves into the container with its global "
          "addresses, renamed and up") {
  test::busybox_rootfs fs;
  const network host;
  const auto ran = test::run_after(
    host.with_devices(),
    test::planned(with_device("ip addr show dev lan0", "lan0"), fs));
  CHECK_THAT(ran.output, Contains(": lan0@") && Contains(",UP"));
  CHECK_THAT(ran.output, Contains("inet 10.11.12.13/24 brd 10.11.12.255"));
  CHECK_THAT(ran.output, Contains("inet6 fd00:5::7/64"));
  CHECK_THAT(ran.output, !Contains("10.99.0.1"));
}

TEST_CASE("a network device keeps its name, or lets the kernel number it") {
  test::busybox_rootfs fs;
  const network host;
  const auto [name, becomes] = GENERATE(
    table<const char*, const char*>({{"", "v0"}, {"lan%d", "lan0"}}));
  const auto ran = test::run_after(
    host.with_devices(),
    test::planned(with_device("ls /sys/class/net", name), fs));
  CHECK_THAT(ran.output, Contains(becomes));
}

TEST_CASE("a network device that cannot move fails the create, with its "
          "place") {
  test::busybox_rootfs fs;
  const network host;
  SECTION("because it is not there") {
    auto spec = with_device("true", "");
    spec.linux_.net_devices = {{"v9", "lan0"}};
    const auto why = test::refused_after(host.with_devices(),
                                         test::planned(spec, fs));
    CHECK(why.os_errno == ENODEV);
    CHECK_THAT(why.what, StartsWith("/linux/netDevices/v9: net_device"));
  }
  SECTION("because its name is taken in the container") {
    const auto why = test::refused_after(
      host.with_devices(), test::planned(with_device("true", "lo"), fs));
    CHECK(why.os_errno == EEXIST);
    CHECK_THAT(why.what, StartsWith("/linux/netDevices/v0: net_device"));
  }
}

TEST_CASE("a launch that fails gives its network devices back") {
  test::busybox_rootfs fs;
  const network host;
  auto spec = with_device("true", "lan0");
  spec.hooks.create_runtime = {{"/bin/busybox", {"false"}, {}, {}}};
  const auto plan = test::planned(spec, fs);
  const auto log = fs.bundle() + "/log";
  test::launched box{[&](const launch::lines& with) {
    host.with_devices()();
    const auto code = launch::run_create(plan, with);
    shell("busybox ip addr show dev v0 > " + log);
    return code;
  }};
  REQUIRE(box.failed());
  CHECK(box.failed()->phase == plan::phase::hook_create_runtime);
  CHECK_THAT(test::host_traces::slurp(log),
             Contains("v0@") && Contains("10.11.12.13/24"));
}

TEST_CASE("a network device moves into a joined network namespace") {
  test::busybox_rootfs fs;
  const network host;
  auto holder = test::create(test::planned(test::box_spec("sleep 1000"), fs));
  REQUIRE(holder.created());
  auto spec = with_device("ip addr show dev lan0", "lan0");
  for (auto& each : spec.linux_.namespaces)
    if (each.kind == kind::network)
      each.path = "/proc/" + std::to_string(holder.pid()) + "/ns/net";
  const auto ran = test::run_after(host.with_devices(),
                                   test::planned(spec, fs));
  CHECK_THAT(ran.output, Contains("inet 10.11.12.13/24"));
}

} // namespace troupe::net_devices_test
