#include "config/oci/parse.hpp"
#include "tests/unit/config/complaint.hpp"
#include "tests/unit/config/full_document.hpp"

#include <catch2/catch.hpp>

namespace troupe::validate_linux_test {

using namespace troupe::test;
using nlohmann::json;

namespace {

/// The full document without namespace `type`.
oci::spec without(oci::namespace_kind kind) {
  auto spec = oci::parse(test::full_document()).value();
  std::erase_if(spec.linux_.namespaces,
                [&](const auto& each) { return each.kind == kind; });
  return spec;
}

} // namespace

TEST_CASE("properties that need a namespace are refused without it") {
  using enum oci::namespace_kind;
  CHECK(complaint(without(uts))
        == "/hostname: expected a uts namespace in /linux/namespaces, found "
           "none");
  auto spec = without(uts);
  spec.hostname.clear();
  CHECK_THAT(complaint(spec), Catch::StartsWith("/domainname: "));
  spec.domainname.clear();
  CHECK(complaint(spec) == "");
  CHECK(complaint(without(user))
        == "/linux/uidMappings: expected a user namespace in "
           "/linux/namespaces, found none");
  spec = without(user);
  spec.linux_.uid_mappings.clear();
  CHECK_THAT(complaint(spec), Catch::StartsWith("/linux/gidMappings: "));
  CHECK(complaint(without(time))
        == "/linux/timeOffsets: expected a new time namespace in "
           "/linux/namespaces, found none");
  CHECK(complaint(without(network))
        == "/linux/netDevices/eth0: expected a network namespace in "
           "/linux/namespaces, found none");
  CHECK(complaint(without(ipc))
        == "/linux/sysctl/kernel.shmmax: expected a ipc namespace in "
           "/linux/namespaces, found none");
  CHECK(complaint(without(pid)) == "");
  CHECK(complaint(without(cgroup)) == "");
}

TEST_CASE("namespaces are unique, and paths absolute") {
  check({
    {"/linux/namespaces/1/path", "netns",
     "/linux/namespaces/1/path: expected an absolute path, found 'netns'"},
    {"/linux/namespaces/3/type", "pid",
     "/linux/namespaces/3/type: expected each type once, found 'pid' again"},
    {"/linux/namespaces/7/path", "/proc/1/ns/time",
     "/linux/timeOffsets: expected a new time namespace in "
     "/linux/namespaces, found none"},
  });
}

TEST_CASE("id mappings are whole, and a new user namespace has both") {
  const auto map = [](std::uint32_t inside, std::uint32_t host,
                      std::uint32_t size) {
    return json{{"containerID", inside}, {"hostID", host}, {"size", size}};
  };
  const auto* uid = "/linux/uidMappings";
  check({
    {uid, removed,
     "/linux/uidMappings: expected mappings for the new user namespace, found "
     "none"},
    {"/linux/gidMappings", removed,
     "/linux/gidMappings: expected mappings for the new user namespace, found "
     "none"},
    {uid, json::array({map(0, 0, 0)}),
     "/linux/uidMappings/0/size: expected an integer from 1 to 4294967295, "
     "found 0"},
    {uid, json::array({map(0, 0, 4294967295)}), ""},
    {uid, json::array({map(1, 0, 4294967295)}),
     "/linux/uidMappings/0: expected containerID + size of at most "
     "4294967295, found more"},
    {uid, json::array({map(0, 1, 4294967295)}),
     "/linux/uidMappings/0: expected hostID + size of at most 4294967295, "
     "found more"},
    {uid, {map(0, 100, 10), map(10, 110, 10)}, ""},
    {uid,
     {map(0, 100, 10), map(9, 200, 10)},
     "/linux/uidMappings/1: expected a range of its own, found an overlap "
     "with /linux/uidMappings/0"},
    {uid,
     {map(0, 100, 10), map(10, 109, 10)},
     "/linux/uidMappings/1: expected a range of its own, found an overlap "
     "with /linux/uidMappings/0"},
  });
  auto many = json::array();
  for (std::uint32_t i = 0; i < 341; ++i)
    many.push_back(map(i, i, 1));
  CHECK(complaint(uid, many)
        == "/linux/uidMappings: expected at most 340 mappings, found 341");
  many.erase(many.size() - 1);
  CHECK(complaint(uid, many) == "");
}

TEST_CASE("time offsets and net devices are checked") {
  check({
    {"/linux/timeOffsets",
     {{"realtime", {{"secs", 1}}}},
     "/linux/timeOffsets/realtime: expected one of monotonic, boottime, found "
     "'realtime'"},
    {"/linux/timeOffsets/boottime/nanosecs", 1000000000,
     "/linux/timeOffsets/boottime/nanosecs: expected an integer from 0 to "
     "999999999, found 1000000000"},
    {"/linux/netDevices/eth0/name", "a/b",
     "/linux/netDevices/eth0/name: expected an interface name of 1 to 15 "
     "characters, found 'a/b'"},
    {"/linux/netDevices/eth0/name", "eth%d", ""},
    {"/linux/netDevices/eth0/name", "eth1",
     "/linux/netDevices/eth1/name: expected a name of its own in the "
     "container, found 'eth1' again"},
    {"/linux/netDevices",
     {{"sixteencharacter", json::object()}},
     "/linux/netDevices/sixteencharacter: expected an interface name of 1 to "
     "15 characters, found 'sixteencharacter'"},
  });
}

TEST_CASE("devices are checked") {
  const auto* path = "/linux/devices/0";
  check({
    {"/linux/devices/0/type", "x",
     "/linux/devices/0/type: expected one of c, b, u, p, found 'x'"},
    {"/linux/devices/0/path", "dev/fuse",
     "/linux/devices/0/path: expected an absolute path, found 'dev/fuse'"},
    {"/linux/devices/0/major", removed,
     "/linux/devices/0/major: expected an integer from 0 to 4095, found "
     "nothing"},
    {"/linux/devices/0/minor", removed,
     "/linux/devices/0/minor: expected an integer from 0 to 1048575, found "
     "nothing"},
    {"/linux/devices/0/major", 4096,
     "/linux/devices/0/major: expected an integer from 0 to 4095, found 4096"},
    {"/linux/devices/0/minor", -1,
     "/linux/devices/0/minor: expected an integer from 0 to 1048575, found "
     "-1"},
    {"/linux/devices/0/fileMode", 4096,
     "/linux/devices/0/fileMode: expected an integer from 0 to 4095, found "
     "4096"},
    {path, {{"type", "p"}, {"path", "/run/fifo"}}, ""},
  });
}

TEST_CASE("only namespaced sysctls are allowed") {
  const auto with = [](const char* key) {
    return complaint("/linux/sysctl", json{{key, "1"}});
  };
  for (const auto* good :
       {"net.core.somaxconn", "net/ipv4/conf/eth0.100/forwarding",
        "net.ipv4.conf.eth0/100.forwarding", "fs.mqueue.msg_max",
        "kernel.shmmax", "kernel.shm_rmid_forced", "kernel.sem",
        "kernel.msgmnb", "kernel.hostname", "kernel.domainname",
        "kernel/domainname"}) {
    CAPTURE(good);
    CHECK(with(good) == "");
  }
  for (const auto* bad : {"kernel.pid_max", "vm.swappiness", "net", "netx.a",
                          "kernel.shmx", "fs.file-max", "kernel.semx",
                          "kernel.hostname2", "user.max_user_namespaces"}) {
    CAPTURE(bad);
    CHECK_THAT(with(bad), Catch::EndsWith("found one of the host"));
  }
  for (const auto* bad :
       {"", "net.", ".net.x", "net..x", "net/../kernel/x", "net/./x", "net//x",
        "net/x/", "/net/x", "net.../x", "net./../x"}) {
    CAPTURE(bad);
    CHECK_THAT(with(bad), Catch::Contains("names separated by single dots"));
  }
}

TEST_CASE("a memory policy has the nodes and flags that its mode takes") {
  using words = std::vector<std::string>;
  const auto policy = [](const char* mode, const char* nodes,
                         const words& flags) {
    return complaint("/linux/memoryPolicy",
                     {{"mode", mode}, {"nodes", nodes}, {"flags", flags}});
  };
  for (const auto* mode : {"MPOL_BIND", "MPOL_INTERLEAVE",
                           "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE"}) {
    CAPTURE(mode);
    CHECK(policy(mode, "0-1", {}) == "");
    CHECK(policy(mode, "", {})
          == "/linux/memoryPolicy/nodes: expected nodes for "
               + std::string{mode} + ", found none");
  }
  for (const auto* mode : {"MPOL_DEFAULT", "MPOL_LOCAL"}) {
    CAPTURE(mode);
    CHECK(policy(mode, "", {}) == "");
    CHECK(policy(mode, "0", {})
          == "/linux/memoryPolicy/nodes: expected none for " + std::string{mode}
               + ", found '0'");
  }
  CHECK(policy("MPOL_PREFERRED", "", {}) == "");
  CHECK(policy("MPOL_PREFERRED", "0", {"MPOL_F_STATIC_NODES"}) == "");
  CHECK(policy("MPOL_BIND", "0", {"MPOL_F_NUMA_BALANCING"}) == "");
  CHECK(policy("MPOL_LOCAL", "", {"MPOL_F_NUMA_BALANCING"})
        == "/linux/memoryPolicy/flags: expected MPOL_F_NUMA_BALANCING for "
           "MPOL_BIND or MPOL_PREFERRED_MANY only, found it for MPOL_LOCAL");
  CHECK(
    policy("MPOL_BIND", "0", {"MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"})
    == "/linux/memoryPolicy/flags: expected static or relative nodes, found "
       "both");
}

TEST_CASE("the rest of linux is checked") {
  check({
    {"/linux/cgroupsPath", "/a/../b",
     "/linux/cgroupsPath: expected a path without '..', found '/a/../b'"},
    {"/linux/cgroupsPath", "..",
     "/linux/cgroupsPath: expected a path without '..', found '..'"},
    {"/linux/cgroupsPath", "a..b/c", ""},
    {"/linux/cgroupsPath", "system.slice:runc:id", ""},
    {"/linux/personality/domain", "BSD",
     "/linux/personality/domain: expected one of LINUX, LINUX32, found 'BSD'"},
    {"/linux/personality/flags",
     {"X"},
     "/linux/personality/flags: expected none: the spec names no flag yet, "
     "found 'X'"},
    {"/linux/intelRdt/closID", "a/b",
     "/linux/intelRdt/closID: expected one directory name, or /, found 'a/b'"},
    {"/linux/intelRdt/closID", "..",
     "/linux/intelRdt/closID: expected one directory name, or /, found '..'"},
    {"/linux/intelRdt/closID", "/", ""},
    {"/linux/intelRdt/schemata/0", "",
     "/linux/intelRdt/schemata/0: expected one line, found ''"},
    {"/linux/intelRdt/l3CacheSchema", "a\nb",
     "/linux/intelRdt/l3CacheSchema: expected one line, found 'a\\x0ab'"},
    {"/linux/intelRdt/memBwSchema", "L3:0=1",
     "/linux/intelRdt/memBwSchema: expected one line that starts with MB:, "
     "found 'L3:0=1'"},
    {"/linux/memoryPolicy/flags/0", "X",
     "/linux/memoryPolicy/flags/0: expected one of MPOL_F_NUMA_BALANCING, "
     "MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES, found 'X'"},
  });
  CHECK_THAT(complaint("/linux/memoryPolicy/mode", "BIND"),
             Catch::StartsWith("/linux/memoryPolicy/mode: expected one of "));
}

} // namespace troupe::validate_linux_test
