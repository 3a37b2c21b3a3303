#include "tests/support/cgroup_plans.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace troupe::cgroup_device_rules_test {

using namespace troupe::cgroup_test;

TEST_CASE("device rules are v1 writes in their order, with the default "
          "devices after them") {
  auto wanted = oci::resources{};
  wanted.devices = {rule(false, "", {}, {}, "rwm"),
                    rule(true, "c", 10, 229, "rw")};
  const auto got = written(wanted, hybrid_host());
  REQUIRE(got.size() == 13);
  CHECK(got[0] == "devices devices.deny=a *:* rwm");
  CHECK(got[1] == "devices devices.allow=c 10:229 rw");
  CHECK(got[2] == "devices devices.allow=c *:* m");
  CHECK(got[4] == "devices devices.allow=c 1:3 rwm");
  CHECK(got[11] == "devices devices.allow=c 136:* rwm");
  CHECK(got[12] == "devices devices.allow=c 10:200 rwm");
}

TEST_CASE("default devices are not listed twice, nor where all are allowed") {
  auto wanted = oci::resources{};
  wanted.devices = {rule(false, "a", {}, {}, ""), rule(true, "c", 1, 3, "rwm")};
  CHECK(std::ranges::count(written(wanted, v1_host()),
                           "devices devices.allow=c 1:3 rwm")
        == 1);
  wanted.devices = {rule(false, "c", 1, 8, "rwm")};
  CHECK(written(wanted, v1_host()) == lines{"devices devices.deny=c 1:8 rwm"});
}

TEST_CASE("a rule for both kinds of device that is not for all is two") {
  auto wanted = oci::resources{};
  wanted.devices = {rule(false, "a", {}, {}, "m")};
  CHECK(
    written(wanted, v1_host())
    == lines{"devices devices.deny=c *:* m", "devices devices.deny=b *:* m"});
}

TEST_CASE("a device rule that v1 would ignore is refused there, not on v2") {
  auto wanted = oci::resources{};
  wanted.devices = {rule(false, "", {}, {}, ""), rule(true, "c", 1, {}, "rw"),
                    rule(false, "c", 1, 3, "w")};
  const auto why = refusal(with(wanted), v1_host());
  CHECK(why.code == fault::unsupported);
  CHECK(why.what.starts_with("/linux/resources/devices/2: 'c 1:3 w': "));
  CHECK(written(wanted, v2_host()).size() == 1);
}

TEST_CASE("device rules are one program on v2") {
  auto wanted = oci::resources{};
  wanted.devices = {rule(false, "a", {}, {}, ""), rule(true, "b", 8, {}, "r")};
  const auto plan = planned(with(wanted), v2_host());
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].file == cgroup::device_program_file);
  CHECK(plan.writes[0].value.starts_with("deny a *:* rwm\nallow b 8:* r\n"));
  CHECK(plan.writes[0].origin == "/linux/resources/devices");
}

TEST_CASE("malformed device rules are refused with their pointer") {
  auto wanted = oci::resources{};
  wanted.devices = {rule(true, "x", 1, 3, "r")};
  CHECK(refusal(with(wanted), v1_host())
          .what.starts_with("/linux/resources/devices/0/type: 'x'"));
  wanted.devices = {rule(true, "c", 1, 3, "rx")};
  CHECK(refusal(with(wanted), v1_host())
          .what.starts_with("/linux/resources/devices/0/access: 'rx'"));
  wanted.devices = {rule(true, "c", -7, 3, "r")};
  CHECK(refusal(with(wanted), v1_host())
          .what.starts_with("/linux/resources/devices/0/major: -7"));
}

} // namespace troupe::cgroup_device_rules_test
