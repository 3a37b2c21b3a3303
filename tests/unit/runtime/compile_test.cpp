#include "config/run_options.hpp"
#include "runtime/compile/compile.hpp"
#include "tests/support/hosts.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <climits>
#include <ctime>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace troupe;
using namespace troupe::plan;
using kind = oci::namespace_kind;

namespace {

constexpr auto cap_kill = 1ULL << CAP_KILL;
constexpr auto cap_sys_resource = 1ULL << CAP_SYS_RESOURCE;

oci::spec base() {
  oci::spec out;
  out.oci_version = "1.2.0";
  out.root = oci::root{"rootfs"};
  out.linux_.namespaces = {{kind::mount, ""}};
  auto& process = out.process.emplace();
  process.args = {"true"};
  process.cwd = "/";
  return out;
}

result<launch_plan>
compiled_or_not(const oci::spec& spec,
                const host_facts& host = test::plain_host()) {
  return compile(spec, host, "web-1", "/srv/bundle");
}

launch_plan compiled(const oci::spec& spec,
                     const host_facts& host = test::plain_host()) {
  auto plan = compiled_or_not(spec, host);
  if (!plan)
    throw std::runtime_error{plan.error().what};
  return *std::move(plan);
}

failure refusal(const oci::spec& spec,
                const host_facts& host = test::plain_host()) {
  const auto plan = compiled_or_not(spec, host);
  return plan ? failure{fault::none, 0, "compiled"} : plan.error();
}

oci::mount bind(std::string source, std::string destination,
                std::vector<std::string> options = {}) {
  return {std::move(destination), "bind", std::move(source),
          std::move(options),     {},     {}};
}

const device* find(const launch_plan& plan, std::string_view path) {
  const auto& xs = plan.rootfs.devices;
  const auto i = std::ranges::find(xs, path, &device::path);
  return i == xs.end() ? nullptr : &*i;
}

} // namespace

// -- the whole ----------------------------------------------------------------

TEST_CASE("equal specs give equal plans") {
  const auto spec = base();
  CHECK(compiled(spec) == compiled(spec));
  CHECK(compiled(spec, test::hybrid_host())
        == compiled(spec, test::hybrid_host()));
}

TEST_CASE("the default container compiles and travels") {
  const auto spec = default_spec("/images/a");
  const auto plan = compiled(spec, test::hybrid_host());
  CHECK(plan.rootfs.path == "/images/a");
  CHECK(plan.rootfs.fill_dev);
  CHECK(plan.process.seccomp == *compile_seccomp(*spec.linux_.seccomp));
  CHECK(decode_launch_plan(encode(plan)) == plan);
}

TEST_CASE("id, bundle and annotations are the state document's") {
  auto spec = base();
  spec.annotations = {{"b", "2"}, {"a", "1"}};
  const auto plan = compiled(spec);
  CHECK(plan.id == "web-1");
  CHECK(plan.bundle == "/srv/bundle");
  CHECK(plan.oci_version == "1.2.0");
  CHECK(plan.annotation_keys == std::vector<std::string>{"a", "b"});
  CHECK(plan.annotation_values == std::vector<std::string>{"1", "2"});
}

TEST_CASE("a spec without a process can be created") {
  auto spec = base();
  spec.process.reset();
  const auto plan = compiled(spec);
  CHECK(plan.process.args.empty());
}

// -- namespaces ---------------------------------------------------------------

TEST_CASE("namespaces are joined user first and mount last") {
  auto spec = base();
  spec.linux_.namespaces = {{kind::mount, "/n/mnt"},
                            {kind::network, "/n/net"},
                            {kind::pid, ""},
                            {kind::user, "/n/user"}};
  const auto plan = compiled(spec);
  const auto& joins = plan.namespaces.joins;
  REQUIRE(joins.size() == 3);
  CHECK(joins[0]
        == namespace_join{CLONE_NEWUSER, "/n/user", "/linux/namespaces/3"});
  CHECK(joins[1].flag == CLONE_NEWNET);
  CHECK(joins[2]
        == namespace_join{CLONE_NEWNS, "/n/mnt", "/linux/namespaces/0"});
  CHECK(plan.namespaces.clone_flags == CLONE_NEWPID);
}

TEST_CASE("every kind of namespace has its flag") {
  auto spec = base();
  spec.linux_.namespaces = {
    {kind::pid, ""}, {kind::network, ""}, {kind::mount, ""},  {kind::ipc, ""},
    {kind::uts, ""}, {kind::user, ""},    {kind::cgroup, ""}, {kind::time, ""}};
  CHECK(compiled(spec).namespaces.clone_flags
        == (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC
            | CLONE_NEWUTS | CLONE_NEWUSER | CLONE_NEWCGROUP | 0x80));
}

TEST_CASE("a kernel without time namespaces is told apart") {
  auto spec = base();
  spec.linux_.namespaces.push_back({kind::time, ""});
  auto host = test::plain_host();
  host.time_namespaces = false;
  const auto why = refusal(spec, host);
  CHECK(why.code == fault::unsupported);
  CHECK(why.what.starts_with("/linux/namespaces/1: "));
}

TEST_CASE("clocks are shifted by number") {
  auto spec = base();
  spec.linux_.namespaces.push_back({kind::time, ""});
  spec.linux_.time_offsets = {{"monotonic", 5, 6}, {"boottime", -1, 0}};
  CHECK(compiled(spec).namespaces.time_offsets
        == std::vector<time_offset>{{CLOCK_MONOTONIC, 5, 6},
                                    {CLOCK_BOOTTIME, -1, 0}});
  spec.linux_.time_offsets = {{"sundial", 0, 0}};
  CHECK(refusal(spec).what.starts_with("/linux/timeOffsets/sundial: "));
}

TEST_CASE("ids are mapped in a new user namespace only") {
  auto spec = base();
  spec.linux_.uid_mappings = {{0, 100000, 65536}};
  spec.linux_.gid_mappings = {{0, 200000, 65536}};
  spec.linux_.namespaces.push_back({kind::user, ""});
  auto plan = compiled(spec);
  CHECK(plan.namespaces.uid_map == std::vector<id_map>{{0, 100000, 65536}});
  CHECK(plan.namespaces.gid_map == std::vector<id_map>{{0, 200000, 65536}});
  spec.linux_.namespaces.back().path = "/n/user";
  plan = compiled(spec);
  CHECK(plan.namespaces.uid_map.empty());
  CHECK(plan.namespaces.gid_map.empty());
}

TEST_CASE("lo is brought up in a new network namespace only") {
  auto spec = base();
  CHECK_FALSE(compiled(spec).loopback_up);
  spec.linux_.namespaces.push_back({kind::network, ""});
  CHECK(compiled(spec).loopback_up);
  spec.linux_.namespaces.back().path = "/n/net";
  CHECK_FALSE(compiled(spec).loopback_up);
}

// -- rootfs -------------------------------------------------------------------

TEST_CASE("a relative root lies in the bundle") {
  auto spec = base();
  CHECK(compiled(spec).rootfs.path == "/srv/bundle/rootfs");
  spec.root->path = "./rootfs/";
  CHECK(compiled(spec).rootfs.path == "/srv/bundle/rootfs");
  spec.root->path = "/images/a";
  CHECK(compiled(spec).rootfs.path == "/images/a");
}

TEST_CASE("dots that lead up are left to the kernel") {
  auto spec = base();
  spec.root->path = "link/../rootfs";
  CHECK(compiled(spec).rootfs.path == "/srv/bundle/link/../rootfs");
}

TEST_CASE("a spec without a root is refused") {
  auto spec = base();
  spec.root.reset();
  CHECK(refusal(spec).what == "/root: missing, required on Linux");
}

TEST_CASE("the root's propagation is private unless asked for") {
  const std::pair<const char*, std::uint64_t> expected[] = {
    {"", MS_PRIVATE},
    {"private", MS_PRIVATE},
    {"rprivate", MS_PRIVATE | MS_REC},
    {"shared", MS_SHARED},
    {"rshared", MS_SHARED | MS_REC},
    {"slave", MS_SLAVE},
    {"rslave", MS_SLAVE | MS_REC},
    {"unbindable", MS_UNBINDABLE},
    {"runbindable", MS_UNBINDABLE | MS_REC},
  };
  for (const auto& [word, flags] : expected) {
    INFO(word);
    auto spec = base();
    spec.linux_.rootfs_propagation = word;
    const auto plan = compiled(spec);
    CHECK(plan.rootfs.propagation == flags);
    CHECK(plan.rootfs.host_propagation == (MS_SLAVE | MS_REC));
  }
  auto spec = base();
  spec.linux_.rootfs_propagation = "public";
  CHECK(
    refusal(spec).what.starts_with("/linux/rootfsPropagation: found 'public'"));
}

TEST_CASE("guarded paths know where they come from") {
  auto spec = base();
  spec.linux_.masked_paths = {"/a", "/b"};
  spec.linux_.readonly_paths = {"/c"};
  const auto plan = compiled(spec);
  CHECK(plan.rootfs.masked
        == std::vector<guarded_path>{{"/a", "/linux/maskedPaths/0"},
                                     {"/b", "/linux/maskedPaths/1"}});
  CHECK(plan.rootfs.readonly_paths
        == std::vector<guarded_path>{{"/c", "/linux/readonlyPaths/0"}});
}

TEST_CASE("without a mount namespace nothing is mounted") {
  auto spec = base();
  spec.linux_.namespaces = {{kind::pid, ""}};
  const auto plan = compiled(spec);
  CHECK(plan.rootfs.path == "/srv/bundle/rootfs");
  CHECK(plan.rootfs.mounts.empty());
  CHECK(plan.rootfs.devices.empty());
  CHECK(plan.rootfs.symlinks.empty());
  CHECK_FALSE(plan.rootfs.fill_dev);
  CHECK(plan.rootfs.host_propagation == 0);
  const auto refused = [](oci::spec x) { return refusal(x).what; };
  auto other = spec;
  other.mounts = {bind("/a", "/b")};
  CHECK(refused(other).starts_with("/mounts: needs a mount namespace"));
  other = spec;
  other.root->readonly = true;
  CHECK(refused(other).starts_with("/root/readonly: "));
  other = spec;
  other.linux_.masked_paths = {"/a"};
  CHECK(refused(other).starts_with("/linux/maskedPaths: "));
}

// -- mounts -------------------------------------------------------------------

TEST_CASE("mounts keep the spec's order behind the default /dev") {
  auto spec = base();
  spec.mounts = {bind("/a", "/x"), bind("/b", "/y")};
  const auto mounts = compiled(spec).rootfs.mounts;
  REQUIRE(mounts.size() == 3);
  CHECK(mounts[0].target == "/dev");
  CHECK(mounts[0].type == "tmpfs");
  CHECK(mounts[0].origin.empty());
  CHECK(mounts[0].attr_set == (MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME));
  CHECK(mounts[0].attr_clear == MOUNT_ATTR__ATIME);
  CHECK(mounts[0].data == std::vector<std::string>{"mode=755", "size=65536k"});
  CHECK(mounts[1].target == "/x");
  CHECK(mounts[1].origin == "/mounts/0");
  CHECK(mounts[2].target == "/y");
  CHECK(mounts[2].origin == "/mounts/1");
}

TEST_CASE("the spec's own /dev replaces the default") {
  auto spec = base();
  spec.mounts = {{"/proc", "proc", "proc", {}, {}, {}},
                 {"//dev/.", "tmpfs", "tmpfs", {"mode=700"}, {}, {}}};
  const auto plan = compiled(spec);
  REQUIRE(plan.rootfs.mounts.size() == 2);
  CHECK(plan.rootfs.mounts[1].target == "/dev");
  CHECK(plan.rootfs.fill_dev);
  CHECK(find(plan, "/dev/null") != nullptr);
}

TEST_CASE("a /dev that is not a fresh tmpfs is never filled") {
  auto spec = base();
  SECTION("bound") {
    spec.mounts = {bind("/dev", "/dev", {"rbind"})};
  }
  SECTION("bound by option alone") {
    spec.mounts = {{"/dev", "none", "/dev", {"bind"}, {}, {}}};
  }
  SECTION("the kernel's devtmpfs, which is the host's") {
    spec.mounts = {{"/dev", "devtmpfs", "devtmpfs", {}, {}, {}}};
  }
  SECTION("a tmpfs, and then a bind on top") {
    spec.mounts = {{"/dev", "tmpfs", "tmpfs", {}, {}, {}},
                   bind("/dev", "/dev/../dev/")};
  }
  SECTION("a tmpfs, and then another root on top") {
    spec.mounts = {{"/dev", "tmpfs", "tmpfs", {}, {}, {}},
                   bind("/other", "/", {"rbind"})};
  }
  spec.linux_.devices = {{"c", "/dev/fuse", 10, 229, {}, {}, {}},
                         {"c", "/srv/null", 1, 3, {}, {}, {}}};
  const auto plan = compiled(spec);
  CHECK_FALSE(plan.rootfs.fill_dev);
  CHECK(plan.rootfs.symlinks.empty());
  REQUIRE(plan.rootfs.devices.size() == 1);
  CHECK(plan.rootfs.devices[0].path == "/srv/null");
}

TEST_CASE("bind sources are absolute and slaves unless told otherwise") {
  auto spec = base();
  spec.mounts = {bind("data", "/a", {"rbind"}), bind("/b", "/b", {"shared"}),
                 bind("/c", "/c", {"rprivate"})};
  const auto mounts = compiled(spec).rootfs.mounts;
  REQUIRE(mounts.size() == 4);
  CHECK(mounts[1].kind == mount_kind::bind);
  CHECK(mounts[1].source == "/srv/bundle/data");
  CHECK(mounts[1].recursive);
  CHECK(mounts[1].propagation == MS_SLAVE);
  CHECK(mounts[1].propagation_recursive);
  CHECK(mounts[2].propagation == MS_SHARED);
  CHECK_FALSE(mounts[2].propagation_recursive);
  CHECK_FALSE(mounts[2].recursive);
  CHECK(mounts[3].propagation == MS_PRIVATE);
  CHECK(mounts[3].propagation_recursive);
}

TEST_CASE("options become attributes, recursive ones apart") {
  auto spec = base();
  spec.mounts = {bind("/a", "/a", {"rbind", "ro", "nosuid", "exec", "rnodev"})};
  const auto x = compiled(spec).rootfs.mounts.at(1);
  CHECK(x.attr_set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID));
  CHECK(x.attr_clear == MOUNT_ATTR_NOEXEC);
  CHECK(x.rec_attr_set == MOUNT_ATTR_NODEV);
}

TEST_CASE("both spellings of cgroup mean the container's own cgroups") {
  auto spec = base();
  const auto* const type = GENERATE("cgroup", "cgroup2");
  spec.mounts = {{"/sys/fs/cgroup", type, "cgroup", {"ro"}, {}, {}}};
  const auto x = compiled(spec).rootfs.mounts.at(1);
  CHECK(x.kind == mount_kind::cgroup);
  CHECK(x.attr_set == MOUNT_ATTR_RDONLY);
  CHECK(x.data.empty());
}

TEST_CASE("only a device gets a read-only superblock") {
  auto spec = base();
  spec.mounts = {{"/a", "ext4", "/dev/sda1", {"ro", "noload"}, {}, {}},
                 {"/b", "tmpfs", "tmpfs", {"ro", "tmpcopyup"}, {}, {}}};
  const auto mounts = compiled(spec).rootfs.mounts;
  CHECK(mounts.at(1).data == std::vector<std::string>{"noload", "ro"});
  CHECK(mounts.at(1).attr_set == MOUNT_ATTR_RDONLY);
  CHECK(mounts.at(2).data.empty());
  CHECK(mounts.at(2).copy_up);
}

TEST_CASE("mounts that miss what their kind needs are refused") {
  auto spec = base();
  spec.mounts = {{"/a", "", "x", {}, {}, {}}};
  CHECK(refusal(spec).what.starts_with("/mounts/0/type: missing"));
  spec.mounts = {bind("", "/a")};
  CHECK(refusal(spec).what.starts_with("/mounts/0/source: missing"));
}

// -- devices ------------------------------------------------------------------

TEST_CASE("every container has the spec's default devices and links") {
  const auto plan = compiled(base());
  const std::tuple<const char*, unsigned, unsigned> expected[] = {
    {"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};
  CHECK(plan.rootfs.devices.size() == std::size(expected));
  for (const auto& [path, major, minor] : expected) {
    INFO(path);
    const auto* x = find(plan, path);
    REQUIRE(x != nullptr);
    CHECK(*x == device{path, S_IFCHR | 0666, major, minor, 0, 0, ""});
  }
  CHECK(plan.rootfs.symlinks
        == std::vector<plan::symlink>{{"/dev/fd", "/proc/self/fd"},
                                      {"/dev/stdin", "/proc/self/fd/0"},
                                      {"/dev/stdout", "/proc/self/fd/1"},
                                      {"/dev/stderr", "/proc/self/fd/2"},
                                      {"/dev/ptmx", "pts/ptmx"},
                                      {"/dev/core", "/proc/kcore"}});
}

TEST_CASE("the spec's devices add to the defaults and override them") {
  auto spec = base();
  spec.linux_.devices = {{"b", "/dev/sda", 8, 0, 0600, 1, 2},
                         {"c", "/dev//null", 1, 5, {}, {}, {}},
                         {"p", "/run/fifo", {}, {}, 0644, {}, {}},
                         {"u", "/dev/ptmx", 5, 2, {}, {}, {}}};
  const auto plan = compiled(spec);
  REQUIRE(find(plan, "/dev/sda") != nullptr);
  CHECK(*find(plan, "/dev/sda")
        == device{"/dev/sda", S_IFBLK | 0600, 8, 0, 1, 2, "/linux/devices/0"});
  CHECK(find(plan, "/dev/null")->minor == 5);
  CHECK(find(plan, "/dev/null")->origin == "/linux/devices/1");
  CHECK(find(plan, "/run/fifo")->mode == (S_IFIFO | 0644));
  CHECK(find(plan, "/dev/ptmx")->mode == (S_IFCHR | 0666));
  CHECK(plan.rootfs.devices.size() == 9);
  CHECK(plan.rootfs.symlinks.size() == 5);
}

TEST_CASE("device numbers that no kernel has are refused") {
  auto spec = base();
  spec.linux_.devices = {{"c", "/dev/a", -1, 0, {}, {}, {}}};
  CHECK(refusal(spec).what
        == "/linux/devices/0/major: found -1, allowed is 0 to 4095");
  spec.linux_.devices = {{"c", "/dev/a", 1, 1 << 20, {}, {}, {}}};
  CHECK(refusal(spec).what.starts_with("/linux/devices/0/minor: found"));
  spec.linux_.devices = {{"b", "/dev/a", 1, {}, {}, {}, {}}};
  CHECK(refusal(spec).what.starts_with("/linux/devices/0/minor: missing"));
  spec.linux_.devices = {{"x", "/dev/a", 1, 1, {}, {}, {}}};
  CHECK(refusal(spec).what.starts_with("/linux/devices/0/type: found 'x'"));
}

// -- the process --------------------------------------------------------------

TEST_CASE("the process is taken over as it is asked for") {
  auto spec = base();
  auto& process = *spec.process;
  process.args = {"sh", "-c", "true"};
  process.env = {"A=1"};
  process.cwd = "/srv";
  process.user = {1000, 1001, 0077, {5, 6}};
  process.oom_score_adj = -17;
  process.no_new_privileges = true;
  const auto x = compiled(spec).process;
  CHECK(x.args == process.args);
  CHECK(x.env == process.env);
  CHECK(x.cwd == "/srv");
  CHECK(x.uid == 1000);
  CHECK(x.gid == 1001);
  CHECK(x.groups == std::vector<std::uint32_t>{5, 6});
  CHECK(x.umask == 0077);
  CHECK(x.oom_score_adj == "-17");
  CHECK(x.no_new_privileges);
}

TEST_CASE("what a process leaves open is left alone") {
  const auto x = compiled(base()).process;
  CHECK(x.umask == 022);
  CHECK(x.oom_score_adj.empty());
  CHECK_FALSE(x.capabilities.set);
  CHECK_FALSE(x.terminal);
  CHECK(x.seccomp.program.empty());
}

TEST_CASE("the console's size counts only with a terminal") {
  auto spec = base();
  spec.process->console_size = oci::console_size{24, 80};
  CHECK(compiled(spec).process.rows == 0);
  spec.process->terminal = true;
  const auto x = compiled(spec).process;
  CHECK(x.terminal);
  CHECK(x.rows == 24);
  CHECK(x.cols == 80);
}

TEST_CASE("rlimits become numbers") {
  auto spec = base();
  spec.process->rlimits = {{"RLIMIT_NOFILE", 1, 2}, {"RLIMIT_CORE", 0, ~0ULL}};
  CHECK(compiled(spec).process.rlimits
        == std::vector<plan::rlimit>{
          {RLIMIT_NOFILE, 1, 2, "/process/rlimits/0"},
          {RLIMIT_CORE, 0, RLIM_INFINITY, "/process/rlimits/1"}});
  spec.process->rlimits = {{"RLIMIT_HOPE", 1, 2}};
  CHECK(refusal(spec).what.starts_with(
    "/process/rlimits/0/type: found 'RLIMIT_HOPE'"));
}

TEST_CASE("capabilities become masks") {
  auto spec = base();
  const std::vector<std::string> two{"CAP_KILL", "CAP_CHECKPOINT_RESTORE"};
  spec.process->capabilities = oci::capabilities{
    {"CAP_KILL"}, two, two, two, {two[1]}};
  const auto plan = compiled(spec);
  const auto& x = plan.process.capabilities;
  CHECK(x.set);
  CHECK(x.effective == cap_kill);
  CHECK(x.bounding == (cap_kill | 1ULL << 40));
  CHECK(x.inheritable == x.bounding);
  CHECK(x.permitted == x.bounding);
  CHECK(x.ambient == 1ULL << 40);
  CHECK(plan.warnings.empty());
}

TEST_CASE("capabilities that cannot be granted are dropped with a warning") {
  auto spec = base();
  const std::vector<std::string> two{"CAP_KILL", "CAP_SYS_RESOURCE"};
  spec.process->capabilities = oci::capabilities{
    two, two, {}, {"CAP_KILL", "CAP_FLY"}, {}};
  const auto plan = compiled(spec, test::hybrid_host());
  CHECK(plan.process.capabilities.effective == cap_kill);
  CHECK(plan.process.capabilities.bounding == cap_kill);
  CHECK(plan.process.capabilities.permitted == cap_kill);
  CHECK(plan.warnings
        == std::vector<std::string>{
          "/process/capabilities: 'CAP_SYS_RESOURCE' cannot be granted on "
          "this host, dropped",
          "/process/capabilities: 'CAP_FLY' is unknown, dropped"});
}

TEST_CASE("sets that contradict each other shrink to what capset takes") {
  auto spec = base();
  const std::vector<std::string> kill{"CAP_KILL"};
  SECTION("effective without permitted") {
    spec.process->capabilities = oci::capabilities{kill, kill, {}, {}, {}};
    const auto plan = compiled(spec);
    CHECK(plan.process.capabilities.effective == 0);
    CHECK(plan.warnings
          == std::vector<std::string>{"/process/capabilities/effective: "
                                      "'CAP_KILL' is not in permitted, "
                                      "dropped"});
  }
  SECTION("inheritable without bounding") {
    spec.process->capabilities = oci::capabilities{{}, {}, kill, {}, {}};
    const auto plan = compiled(spec);
    CHECK(plan.process.capabilities.inheritable == 0);
    CHECK(plan.warnings.size() == 1);
  }
  SECTION("ambient without inheritable") {
    spec.process->capabilities = oci::capabilities{kill, kill, {}, kill, kill};
    const auto plan = compiled(spec);
    CHECK(plan.process.capabilities.ambient == 0);
    CHECK(plan.warnings.size() == 1);
  }
}

TEST_CASE("a capability newer than the kernel is dropped") {
  auto spec = base();
  const std::vector<std::string> two{"CAP_KILL", "CAP_BPF"};
  spec.process->capabilities = oci::capabilities{two, two, {}, two, {}};
  auto host = test::plain_host();
  host.last_capability = CAP_BPF - 1;
  const auto plan = compiled(spec, host);
  CHECK(plan.process.capabilities.effective == cap_kill);
  CHECK(plan.warnings.size() == 1);
}

TEST_CASE("an own user namespace grants what the host does not") {
  auto spec = base();
  spec.linux_.namespaces.push_back({kind::user, ""});
  spec.process->capabilities = oci::capabilities{
    {"CAP_SYS_RESOURCE"}, {}, {}, {"CAP_SYS_RESOURCE"}, {}};
  const auto plan = compiled(spec, test::hybrid_host());
  CHECK(plan.process.capabilities.effective == cap_sys_resource);
  CHECK(plan.warnings.empty());
}

TEST_CASE("a profile becomes the process's filter") {
  auto spec = base();
  auto& profile = spec.linux_.seccomp.emplace();
  profile.default_action = "SCMP_ACT_ALLOW";
  profile.syscalls = {{{"reboot"}, "SCMP_ACT_ERRNO", {}, {}}};
  CHECK(compiled(spec).process.seccomp == *compile_seccomp(profile));
  profile.syscalls[0].action = "SCMP_ACT_NOTIFY";
  CHECK(refusal(spec).code == fault::unsupported);
}

TEST_CASE("sysctls know their line, slashes and all") {
  auto spec = base();
  spec.linux_.sysctl = {{"net/core/somaxconn", "1"}, {"kernel.x~y", "2"}};
  CHECK(compiled(spec).sysctls
        == std::vector<sysctl>{
          {"kernel.x~y", "2", "/linux/sysctl/kernel.x~0y"},
          {"net/core/somaxconn", "1", "/linux/sysctl/net~1core~1somaxconn"}});
}

TEST_CASE("hooks of six kinds keep their order and place") {
  auto spec = base();
  spec.hooks.prestart = {{"/1", {"one"}, {"A=1"}, 7}, {"/2", {}, {}, {}}};
  spec.hooks.create_runtime = {{"/3", {}, {}, {}}};
  spec.hooks.create_container = {{"/4", {}, {}, {}}};
  spec.hooks.start_container = {{"/5", {}, {}, {}}};
  spec.hooks.poststart = {{"/6", {}, {}, {}}};
  spec.hooks.poststop = {{"/7", {}, {}, {}}};
  const auto x = compiled(spec).hooks;
  CHECK(x.prestart
        == std::vector<hook>{{"/1", {"one"}, {"A=1"}, 7, "/hooks/prestart/0"},
                             {"/2", {}, {}, 0, "/hooks/prestart/1"}});
  CHECK(x.create_runtime.at(0).origin == "/hooks/createRuntime/0");
  CHECK(x.create_container.at(0).origin == "/hooks/createContainer/0");
  CHECK(x.start_container.at(0).origin == "/hooks/startContainer/0");
  CHECK(x.poststart.at(0).origin == "/hooks/poststart/0");
  CHECK(x.poststop.at(0).origin == "/hooks/poststop/0");
}

// -- what is refused ----------------------------------------------------------

TEST_CASE("what cannot be honoured is refused with its place") {
  struct expectation {
    const char* pointer;
    void (*ask)(oci::spec&);
  };
  const expectation expected[] = {
    {"/process/apparmorProfile",
     [](oci::spec& x) { x.process->apparmor_profile = "docker-default"; }},
    {"/process/selinuxLabel",
     [](oci::spec& x) { x.process->selinux_label = "a:b:c:s0"; }},
    {"/process/scheduler",
     [](oci::spec& x) { x.process->scheduler.emplace(); }},
    {"/process/ioPriority",
     [](oci::spec& x) { x.process->io_priority.emplace(); }},
    {"/process/execCPUAffinity",
     [](oci::spec& x) { x.process->exec_cpu_affinity.emplace(); }},
    {"/linux/mountLabel",
     [](oci::spec& x) { x.linux_.mount_label = "a:b:c:s0"; }},
    {"/linux/netDevices",
     [](oci::spec& x) {
       x.linux_.net_devices = {{"eth0", ""}};
     }},
    {"/linux/personality",
     [](oci::spec& x) { x.linux_.personality.emplace(); }},
    {"/linux/intelRdt", [](oci::spec& x) { x.linux_.intel_rdt.emplace(); }},
    {"/linux/memoryPolicy",
     [](oci::spec& x) { x.linux_.memory_policy.emplace(); }},
    {"/mounts/0/uidMappings",
     [](oci::spec& x) {
       x.mounts = {bind("/a", "/a")};
       x.mounts[0].uid_mappings = {{0, 1, 1}};
     }},
    {"/mounts/0/gidMappings",
     [](oci::spec& x) {
       x.mounts = {bind("/a", "/a")};
       x.mounts[0].gid_mappings = {{0, 1, 1}};
     }},
    {"/mounts/0/options",
     [](oci::spec& x) { x.mounts = {bind("/a", "/a", {"ridmap"})}; }},
    {"/mounts/0/options",
     [](oci::spec& x) { x.mounts = {bind("/a", "/a", {"remount"})}; }},
    {"/linux/seccomp/syscalls/0/action",
     [](oci::spec& x) {
       auto& profile = x.linux_.seccomp.emplace();
       profile.default_action = "SCMP_ACT_ALLOW";
       profile.listener_path = "/run/agent.sock";
       profile.syscalls = {{{"read"}, "SCMP_ACT_NOTIFY", {}, {}}};
     }},
  };
  for (const auto& each : expected) {
    auto spec = base();
    each.ask(spec);
    const auto why = refusal(spec);
    INFO(each.pointer << " but " << why.what);
    CHECK(why.code == fault::unsupported);
    CHECK(why.what.starts_with(std::string{each.pointer} + ": "));
  }
}

TEST_CASE("unconfined is what every process is without AppArmor") {
  auto spec = base();
  spec.process->apparmor_profile = "unconfined";
  CHECK(compiled_or_not(spec));
  auto host = test::plain_host();
  host.apparmor = true;
  CHECK(refusal(spec, host).code == fault::unsupported);
}

// -- exec ---------------------------------------------------------------------

namespace {

launch_plan running() {
  auto spec = base();
  spec.linux_.namespaces = {{kind::mount, ""}, {kind::network, "/n/net"}};
  spec.process->capabilities = oci::capabilities{
    {"CAP_KILL"}, {}, {}, {"CAP_KILL"}, {}};
  auto& profile = spec.linux_.seccomp.emplace();
  profile.default_action = "SCMP_ACT_ALLOW";
  profile.syscalls = {{{"reboot"}, "SCMP_ACT_ERRNO", {}, {}}};
  spec.linux_.resources.emplace().pids_limit = 8;
  return compiled(spec, test::hybrid_host());
}

oci::process command() {
  oci::process out;
  out.args = {"ps"};
  out.cwd = "/";
  return out;
}

} // namespace

TEST_CASE("an exec session enters all of the container's namespaces") {
  const auto in = running();
  const auto plan = compile_exec(command(), in, test::hybrid_host(),
                                 "session-1");
  REQUIRE(plan);
  CHECK(plan->id == "web-1");
  CHECK(plan->session == "session-1");
  CHECK(plan->namespaces == (CLONE_NEWNS | CLONE_NEWNET));
  CHECK(plan->process.args == std::vector<std::string>{"ps"});
}

TEST_CASE("an exec session enters the container's cgroups, limits untouched") {
  const auto in = running();
  REQUIRE_FALSE(in.cgroup.dirs.empty());
  REQUIRE_FALSE(in.cgroup.writes.empty());
  const auto plan = compile_exec(command(), in, test::hybrid_host(), "s");
  REQUIRE(plan);
  CHECK(plan->cgroup.mode == in.cgroup.mode);
  CHECK(plan->cgroup.dirs == in.cgroup.dirs);
  CHECK(plan->cgroup.writes.empty());
}

TEST_CASE("an exec session has the container's filter, and its capabilities "
          "unless told") {
  const auto in = running();
  auto process = command();
  auto plan = compile_exec(process, in, test::hybrid_host(), "s");
  REQUIRE(plan);
  CHECK(plan->process.seccomp == in.process.seccomp);
  CHECK_FALSE(plan->process.seccomp.program.empty());
  CHECK(plan->process.capabilities == in.process.capabilities);
  const std::vector<std::string> two{"CAP_CHOWN", "CAP_SYS_RESOURCE"};
  process.capabilities = oci::capabilities{two, two, {}, two, {}};
  plan = compile_exec(process, in, test::hybrid_host(), "s");
  REQUIRE(plan);
  CHECK(plan->process.capabilities.effective == 1ULL << CAP_CHOWN);
  CHECK(plan->warnings.size() == 1);
}

TEST_CASE("an exec session is refused what a container is refused") {
  auto process = command();
  process.selinux_label = "a:b:c:s0";
  const auto plan = compile_exec(process, running(), test::hybrid_host(), "s");
  REQUIRE_FALSE(plan);
  CHECK(plan.error().what.starts_with("/selinuxLabel: "));
}
