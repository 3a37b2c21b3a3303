#include "config/oci/parse.hpp"
#include "tests/unit/config/complaint.hpp"

#include <catch2/catch.hpp>

namespace troupe::validate_resources_test {

using namespace troupe::test;
using nlohmann::json;

TEST_CASE("resources are checked") {
#define AT "/linux/resources"
  check({
    {AT "/devices/1/type", "u",
     AT "/devices/1/type: expected one of a, b, c, found 'u'"},
    {AT "/devices/1/access", "rx",
     AT "/devices/1/access: expected a composition of r, w and m, found 'rx'"},
    {AT "/devices/1/major", -2,
     AT "/devices/1/major: expected an integer from 0 to 4095, found -2"},
    {AT "/memory/limit", -2,
     AT "/memory/limit: expected an integer from -1 to 9223372036854775807, "
        "found -2"},
    {AT "/memory/swappiness", 101,
     AT "/memory/swappiness: expected an integer from 0 to 100, found 101"},
    {AT "/memory/swap", 536870911,
     AT "/memory/swap: expected at least the memory limit, 536870912, found "
        "536870911"},
    {AT "/cpu/period", 999,
     AT "/cpu/period: expected an integer from 1000 to 1000000, found 999"},
    {AT "/cpu/period", 1000001,
     AT "/cpu/period: expected an integer from 1000 to 1000000, found 1000001"},
    {AT "/cpu/period", 0, ""},
    {AT "/cpu/quota", -1, ""},
    {AT "/cpu/quota", 999,
     AT "/cpu/quota: expected an integer from 1000 to 9223372036854775807, "
        "found 999"},
    {AT "/cpu/burst", 1000001,
     AT "/cpu/burst: expected at most the quota, 1000000, found 1000001"},
    {AT "/cpu/idle", 2,
     AT "/cpu/idle: expected an integer from 0 to 1, found 2"},
    {AT "/pids/limit", 4194305,
     AT "/pids/limit: expected an integer from -9223372036854775808 to "
        "4194304, found 4194305"},
    {AT "/pids/limit", -1, ""},
    {AT "/blockIO/weight", 9,
     AT "/blockIO/weight: expected an integer from 10 to 1000, found 9"},
    {AT "/blockIO/leafWeight", 1001,
     AT "/blockIO/leafWeight: expected an integer from 10 to 1000, found "
        "1001"},
    {AT "/blockIO/weightDevice/0",
     {{"major", 8}, {"minor", 0}},
     AT "/blockIO/weightDevice/0: expected weight, leafWeight or both, found "
        "neither"},
    {AT "/blockIO/throttleWriteIOPSDevice/0/major", -1,
     AT "/blockIO/throttleWriteIOPSDevice/0/major: expected an integer from 0 "
        "to 4095, found -1"},
    {AT "/hugepageLimits/0/pageSize", "2M",
     AT "/hugepageLimits/0/pageSize: expected a size like 64KB, 2MB or 1GB, "
        "found '2M'"},
    {AT "/hugepageLimits/0/pageSize", "/../MB",
     AT "/hugepageLimits/0/pageSize: expected a size like 64KB, 2MB or 1GB, "
        "found '/../MB'"},
    {AT "/network/priorities/0/name", "",
     AT "/network/priorities/0/name: expected an interface name, found ''"},
    {AT "/rdma",
     {{"mlx5_1", json::object()}},
     AT "/rdma/mlx5_1: expected hcaHandles, hcaObjects or both, found "
        "neither"},
    {AT "/unified",
     {{"../memory.max", "1"}},
     AT "/unified/..~1memory.max: expected a cgroup v2 setting like "
        "memory.high, found '../memory.max'"},
    {AT "/unified",
     {{"cgroup.procs", "1"}},
     AT "/unified/cgroup.procs: expected a cgroup v2 setting like "
        "memory.high, found 'cgroup.procs'"},
  });
#undef AT
}

TEST_CASE("resources alone complain below their own pointer") {
  oci::resources resources;
  resources.cpu.emplace().period = 1;
  CHECK(oci::validate(resources, "/resources").error().what
        == "/resources/cpu/period: expected an integer from 1000 to 1000000, "
           "found 1");
}

TEST_CASE("seccomp profiles are checked") {
#define AT "/linux/seccomp"
  check({
    {AT "/syscalls/0/names", json::array(),
     AT "/syscalls/0/names: expected at least one entry, found none"},
    {AT "/syscalls/0/args/0/index", 6,
     AT "/syscalls/0/args/0/index: expected an integer from 0 to 5, found 6"},
    {AT "/syscalls/0/action", "SCMP_ACT_ALLOW",
     AT "/syscalls/0/errnoRet: expected no errno unless the action is "
        "SCMP_ACT_ERRNO, SCMP_ACT_TRACE, found one for 'SCMP_ACT_ALLOW'"},
    {AT "/defaultErrnoRet", 4096,
     AT "/defaultErrnoRet: expected an integer from 0 to 4095, found 4096"},
    {AT "/listenerPath", "sock",
     AT "/listenerPath: expected an absolute path, found 'sock'"},
    {AT "/listenerPath", removed,
     AT "/listenerMetadata: expected listenerPath beside it, found none"},
    {AT,
     {{"defaultAction", "SCMP_ACT_ALLOW"},
      {"syscalls", {{{"names", {"mount"}}, {"action", "SCMP_ACT_NOTIFY"}}}}},
     AT "/listenerPath: expected a socket for SCMP_ACT_NOTIFY, found nothing"},
  });
  for (const auto* pointer :
       {AT "/defaultAction", AT "/syscalls/0/action",
        AT "/syscalls/0/args/0/op", AT "/architectures/0", AT "/flags/0"})
    CHECK_THAT(complaint(pointer, "SCMP_X"),
               Catch::StartsWith(std::string{pointer} + ": expected one of ")
                 && Catch::EndsWith(", found 'SCMP_X'"));
#undef AT
}

} // namespace troupe::validate_resources_test
