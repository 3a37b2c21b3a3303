#include "config/oci/parse.hpp"
#include "config/oci/words.hpp"
#include "tests/unit/config/full_document.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace troupe;
using nlohmann::json;

namespace {

/// validate()'s complaint about the full document after a JSON merge patch at
/// `pointer`; "" if it has none. `value` discarded: the place is removed.
std::string complaint(const char* pointer, const json& value) {
  auto document = test::full_document();
  const json::json_pointer at{pointer};
  if (value.is_discarded())
    document[at.parent_pointer()].erase(at.back());
  else
    document[at] = value;
  const auto spec = oci::parse(document);
  REQUIRE(spec);
  const auto checked = oci::validate(*spec);
  return checked ? "" : checked.error().what;
}

const json removed(json::value_t::discarded);

struct row {
  const char* pointer;
  json value;
  const char* what;
};

void check(const std::vector<row>& rows) {
  for (const auto& [pointer, value, what] : rows) {
    CAPTURE(pointer, value.is_discarded() ? "removed" : value.dump());
    CHECK(complaint(pointer, value) == what);
  }
}

/// The full document without namespace `type`.
oci::spec without(oci::namespace_kind kind) {
  auto spec = oci::parse(test::full_document()).value();
  std::erase_if(spec.linux_.namespaces,
                [&](const auto& each) { return each.kind == kind; });
  return spec;
}

std::string complaint(const oci::spec& spec) {
  const auto checked = oci::validate(spec);
  return checked ? "" : checked.error().what;
}

} // namespace

TEST_CASE("the full document is valid") {
  CHECK(complaint("/hostname", "box") == "");
}

TEST_CASE("ociVersion must be SemVer 2.0.0 and 1.x") {
  for (const auto* good :
       {"1.0.0", "1.0.2-dev", "1.3.0", "1.99.0", "1.0.0-rc.1+build.05",
        "1.0.0-alpha-1", "1.0.0+001"}) {
    CAPTURE(good);
    CHECK(complaint("/ociVersion", good) == "");
  }
  for (const auto* bad :
       {"", "1", "1.0", "v1.0.0", "1.0.0.", "1.0.0.0", "01.0.0", "1.00.0",
        "1.0.0-", "1.0.0-01", "1.0.0+", "1.0.0-a..b", "1.0.0-a.", "1.0.0 ",
        "1.0.0+a+b", "a.b.c", "1..0", "-1.0.0"}) {
    CAPTURE(bad);
    CHECK(complaint("/ociVersion", bad)
          == "/ociVersion: expected a SemVer 2.0.0 version, found '"
               + std::string{bad} + "'");
  }
  for (const auto* other : {"0.5.0-dev", "2.0.0", "10.0.0"})
    CHECK(complaint("/ociVersion", other)
          == "/ociVersion: expected a version from 1.0.0 to below 2.0.0, found "
             "'" + std::string{other} + "'");
}

TEST_CASE("root, hooks and annotations are checked") {
  check({
    {"/root", removed, "/root: expected an object, found nothing"},
    {"/root/path", "", "/root/path: expected a path, found ''"},
    {"/hooks/prestart/0/path", "bin/a",
     "/hooks/prestart/0/path: expected an absolute path, found 'bin/a'"},
    {"/hooks/poststop/0/path", "",
     "/hooks/poststop/0/path: expected an absolute path, found ''"},
    {"/hooks/prestart/0/timeout", 0,
     "/hooks/prestart/0/timeout: expected an integer from 1 to 2147483647, "
     "found 0"},
    {"/hooks/createRuntime/0/timeout", -1,
     "/hooks/createRuntime/0/timeout: expected an integer from 1 to "
     "2147483647, found -1"},
    {"/hooks/startContainer/0/env", {"A"},
     "/hooks/startContainer/0/env/0: expected NAME=value, found no '='"},
    {"/annotations", {{"", "v"}},
     "/annotations: expected keys that are not empty, found ''"},
  });
}

TEST_CASE("a process is checked") {
  check({
    {"/process", removed, ""},
    {"/process/cwd", "root",
     "/process/cwd: expected an absolute path, found 'root'"},
    {"/process/args", removed,
     "/process/args: expected at least one entry, found none"},
    {"/process/args", json::array(),
     "/process/args: expected at least one entry, found none"},
    {"/process/env/1", "SECRET",
     "/process/env/1: expected NAME=value, found no '='"},
    {"/process/env/0", "=x", "/process/env/0: expected NAME=value, found no "
                             "name"},
    {"/process/env/0", "A=", ""},
    {"/process/user/uid", 4294967295,
     "/process/user/uid: expected an integer from 0 to 4294967294, found "
     "4294967295"},
    {"/process/user/gid", 4294967295,
     "/process/user/gid: expected an integer from 0 to 4294967294, found "
     "4294967295"},
    {"/process/user/additionalGids/1", 4294967295,
     "/process/user/additionalGids/1: expected an integer from 0 to "
     "4294967294, found 4294967295"},
    {"/process/user/umask", 512,
     "/process/user/umask: expected an integer from 0 to 511, found 512"},
    {"/process/oomScoreAdj", -1001,
     "/process/oomScoreAdj: expected an integer from -1000 to 1000, found "
     "-1001"},
    {"/process/oomScoreAdj", 1000, ""},
    {"/process/ioPriority/class", "IOPRIO_CLASS_NONE",
     "/process/ioPriority/class: expected one of IOPRIO_CLASS_RT, "
     "IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE, found 'IOPRIO_CLASS_NONE'"},
    {"/process/ioPriority/priority", 8,
     "/process/ioPriority/priority: expected an integer from 0 to 7, found 8"},
    {"/process/scheduler/nice", 20,
     "/process/scheduler/nice: expected an integer from -20 to 19, found 20"},
    {"/process/scheduler/priority", 0,
     "/process/scheduler/priority: expected an integer from 1 to 99, found 0"},
    {"/process/scheduler/policy", "SCHED_OTHER",
     "/process/scheduler/priority: expected an integer from 0 to 0, found 10"},
  });
  CHECK_THAT(complaint("/process/scheduler/policy", "FIFO"),
             Catch::StartsWith("/process/scheduler/policy: expected one of "));
  CHECK_THAT(complaint("/process/scheduler/flags/0", "X"),
             Catch::StartsWith("/process/scheduler/flags/0: expected one of "));
}

TEST_CASE("rlimits are known, unique and in order") {
  for (const auto name : oci::words::rlimits)
    CHECK(complaint("/process/rlimits/0/type", name) == "");
  CHECK_THAT(complaint("/process/rlimits/0/type", "RLIMIT_X"),
             Catch::EndsWith("RLIMIT_RTTIME, found 'RLIMIT_X'"));
  const json one{{"type", "RLIMIT_CORE"}, {"soft", 1}, {"hard", 1}};
  CHECK(complaint("/process/rlimits", {one, one})
        == "/process/rlimits/1/type: expected each type once, found "
           "'RLIMIT_CORE' again");
  check({
    {"/process/rlimits/0/hard", 1023,
     "/process/rlimits/0/soft: expected at most the hard limit, 1023, found "
     "1024"},
    {"/process/rlimits/0/hard", 1024, ""},
  });
}

TEST_CASE("lists of processors have the kernel's format") {
  for (const auto* good : {"", "0", "0-3,7", "1,2,3", "0-31:2/4", "5-5"}) {
    CAPTURE(good);
    CHECK(complaint("/linux/resources/cpu/cpus", good) == "");
  }
  for (const auto* bad : {"a", "-1", "3-1", "1,", ",1", "1-", "0-3:2", "0-3:2/0",
                          "0-3:5/4", "1 2", "1,,2", "99999999999"}) {
    CAPTURE(bad);
    for (const auto* pointer :
         {"/linux/resources/cpu/cpus", "/linux/resources/cpu/mems",
          "/process/execCPUAffinity/initial", "/process/execCPUAffinity/final",
          "/linux/memoryPolicy/nodes"})
      CHECK(complaint(pointer, bad)
            == std::string{pointer}
                 + ": expected a list of numbers and ranges like 0-3,7, found '"
                 + bad + "'");
  }
}

TEST_CASE("an unknown capability is no failure, but can be listed") {
  CHECK(complaint("/process/capabilities/bounding/0", "CAP_UNKNOWN") == "");
  auto process = oci::parse(test::full_document()).value().process.value();
  CHECK(oci::unknown_capabilities(process).empty());
  process.capabilities->bounding.push_back("CAP_X");
  process.capabilities->ambient = {"CAP_X", "kill"};
  CHECK(oci::unknown_capabilities(process)
        == std::vector<std::string>{"CAP_X", "kill"});
  process.capabilities.reset();
  CHECK(oci::unknown_capabilities(process).empty());
}

TEST_CASE("mounts are checked") {
  check({
    {"/mounts/0/destination", "",
     "/mounts/0/destination: expected an absolute path, found ''"},
    {"/mounts/1/source", removed,
     "/mounts/1/source: expected the path to bind, found nothing"},
    {"/mounts/0", {{"destination", "/x"}, {"type", "bind"}},
     "/mounts/0/source: expected the path to bind, found nothing"},
    {"/mounts/0/type", removed,
     "/mounts/0/type: expected a filesystem type, or bind among the options, "
     "found nothing"},
    {"/mounts/0", {{"destination", "/x"}, {"options", {"remount", "ro"}}}, ""},
    {"/mounts/1/gidMappings", removed,
     "/mounts/1: expected both of uidMappings and gidMappings, or neither, "
     "found one"},
    {"/mounts/1/uidMappings/0/size", 0,
     "/mounts/1/uidMappings/0/size: expected an integer from 1 to 4294967295, "
     "found 0"},
    {"/linux/maskedPaths/0", "proc",
     "/linux/maskedPaths/0: expected an absolute path, found 'proc'"},
    {"/linux/readonlyPaths/0", "",
     "/linux/readonlyPaths/0: expected an absolute path, found ''"},
    {"/linux/rootfsPropagation", "masked",
     "/linux/rootfsPropagation: expected one of shared, slave, private, "
     "unbindable, rshared, rslave, rprivate, runbindable, found 'masked'"},
  });
  for (const auto word : oci::words::propagations)
    CHECK(complaint("/linux/rootfsPropagation", word) == "");
}

TEST_CASE("idmap without mappings needs a user namespace") {
  oci::spec spec;
  spec.oci_version = "1.3.0";
  spec.root = oci::root{"rootfs", false};
  spec.linux_.namespaces = {{oci::namespace_kind::mount, ""}};
  spec.mounts = {{"/x", "", "/y", {"bind", "ridmap"}, {}, {}}};
  CHECK(complaint(spec)
        == "/mounts/0/options: expected a user namespace in "
           "/linux/namespaces, found none");
  spec.linux_.namespaces.push_back({oci::namespace_kind::user, "/ns/user"});
  CHECK(complaint(spec) == "");
}

TEST_CASE("what touches mounts needs a mount namespace") {
  const auto bare = [] {
    oci::spec spec;
    spec.oci_version = "1.3.0";
    spec.root = oci::root{"rootfs", false};
    return spec;
  };
  CHECK(complaint(bare()) == "");
  const auto refused = [](const oci::spec& spec, const std::string& pointer) {
    CHECK(complaint(spec)
          == pointer
               + ": expected a mount namespace in /linux/namespaces, found "
                 "none");
  };
  auto spec = bare();
  spec.root->readonly = true;
  refused(spec, "/root/readonly");
  spec = bare();
  spec.mounts = {{"/proc", "proc", "proc", {}, {}, {}}};
  refused(spec, "/mounts");
  spec = bare();
  spec.linux_.masked_paths = {"/proc/kcore"};
  refused(spec, "/linux/maskedPaths");
  spec = bare();
  spec.linux_.readonly_paths = {"/proc/sys"};
  refused(spec, "/linux/readonlyPaths");
  spec = bare();
  spec.linux_.rootfs_propagation = "shared";
  refused(spec, "/linux/rootfsPropagation");
}

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
    {uid, {map(0, 0, 0)},
     "/linux/uidMappings/0/size: expected an integer from 1 to 4294967295, "
     "found 0"},
    {uid, {map(0, 0, 4294967295)}, ""},
    {uid, {map(1, 0, 4294967295)},
     "/linux/uidMappings/0: expected containerID + size of at most "
     "4294967295, found more"},
    {uid, {map(0, 1, 4294967295)},
     "/linux/uidMappings/0: expected hostID + size of at most 4294967295, "
     "found more"},
    {uid, {map(0, 100, 10), map(10, 110, 10)}, ""},
    {uid, {map(0, 100, 10), map(9, 200, 10)},
     "/linux/uidMappings/1: expected a range of its own, found an overlap "
     "with /linux/uidMappings/0"},
    {uid, {map(0, 100, 10), map(10, 109, 10)},
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
    {"/linux/timeOffsets", {{"realtime", {{"secs", 1}}}},
     "/linux/timeOffsets/realtime: expected one of monotonic, boottime, found "
     "'realtime'"},
    {"/linux/timeOffsets/boottime/nanosecs", 1000000000,
     "/linux/timeOffsets/boottime/nanosecs: expected an integer from 0 to "
     "999999999, found 1000000000"},
    {"/linux/netDevices/eth0/name", "a/b",
     "/linux/netDevices/eth0/name: expected an interface name of 1 to 15 "
     "characters, found 'a/b'"},
    {"/linux/netDevices/eth0/name", "eth%d", ""},
    {"/linux/netDevices", {{"sixteencharacter", json::object()}},
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
  for (const auto* bad : {"", "net.", ".net.x", "net..x", "net/../kernel/x",
                          "net/./x", "net//x", "net/x/", "/net/x",
                          "net.../x", "net./../x"}) {
    CAPTURE(bad);
    CHECK_THAT(with(bad), Catch::Contains("names separated by single dots"));
  }
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
    {"/linux/personality/flags", {"X"},
     "/linux/personality/flags: expected none: the spec names no flag yet, "
     "found 'X'"},
    {"/linux/intelRdt/closID", "a/b",
     "/linux/intelRdt/closID: expected one directory name, found 'a/b'"},
    {"/linux/intelRdt/closID", "..",
     "/linux/intelRdt/closID: expected one directory name, found '..'"},
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
    {AT "/blockIO/weightDevice/0", {{"major", 8}, {"minor", 0}},
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
    {AT "/rdma", {{"mlx5_1", json::object()}},
     AT "/rdma/mlx5_1: expected hcaHandles, hcaObjects or both, found "
        "neither"},
    {AT "/unified", {{"../memory.max", "1"}},
     AT "/unified/..~1memory.max: expected a cgroup v2 setting like "
        "memory.high, found '../memory.max'"},
    {AT "/unified", {{"cgroup.procs", "1"}},
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

TEST_CASE("host names are bounded") {
  CHECK(complaint("/hostname", std::string(64, 'x')) == "");
  CHECK(complaint("/hostname", std::string(65, 'x'))
        == "/hostname: expected at most 64 bytes, found 65");
  CHECK(complaint("/domainname", std::string(65, 'x'))
        == "/domainname: expected at most 64 bytes, found 65");
}

TEST_CASE("a process alone complains below its own pointer when checked") {
  oci::process process;
  process.cwd = "/";
  CHECK(oci::validate(process, "/exec").error().what
        == "/exec/args: expected at least one entry, found none");
  process.args = {"true"};
  CHECK(oci::validate(process, "/exec"));
}
