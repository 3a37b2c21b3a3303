#include "tests/support/cgroup_plans.hpp"

#include <catch2/catch.hpp>

namespace troupe::cgroup_writes_test {

using namespace troupe::cgroup_test;

TEST_CASE("a container without a path gets a directory below the parent in "
          "each hierarchy") {
  const auto plan = planned({}, hybrid_host());
  auto seen = lines{};
  for (const auto& dir : plan.dirs) {
    CHECK(dir.path == "/troupe/web");
    seen.push_back(dir.controller);
  }
  CHECK(seen
        == lines{"cpu", "cpuacct", "memory", "pids", "freezer", "devices",
                 "blkio", "cpuset", ""});
  CHECK(plan.dirs.back().mount == "/sys/fs/cgroup/unified");
  CHECK(plan.subtree_control.empty());
  CHECK(plan.writes.empty());
}

TEST_CASE("controllers that are mounted together have one directory") {
  auto host = v1_host();
  host.v1_mounts["cpu"] = host.v1_mounts["cpuacct"] = "/cg/cpu,cpuacct";
  auto wanted = oci::cpu_resources{};
  wanted.shares = 512;
  const auto plan = planned(with(cpu(wanted)), host);
  REQUIRE(plan.dirs.size() == 7);
  CHECK(plan.dirs[0]
        == plan::cgroup_dir{"cpu,cpuacct", "/cg/cpu,cpuacct", "/troupe/web"});
  CHECK(written(plan) == lines{"cpu,cpuacct cpu.shares=512"});
}

TEST_CASE("a v2 host has one directory and the controllers it needs") {
  const auto plan = planned({}, v2_host());
  REQUIRE(plan.dirs.size() == 1);
  CHECK(plan.dirs[0] == plan::cgroup_dir{"", "/sys/fs/cgroup", "/troupe/web"});
  CHECK(plan.subtree_control == "+cpu +io +memory +pids");
}

TEST_CASE("a host without cgroups gets a plan without them") {
  const auto plan = planned({}, {});
  CHECK(plan.mode == cgroup_mode::none);
  CHECK(plan.dirs.empty());
}

TEST_CASE("a cgroup path is absolute, or relative to the parent") {
  const auto host = v2_host();
  CHECK(planned(at("/a/b"), host).dirs[0].path == "/a/b");
  CHECK(planned(at("//a/./b/"), host).dirs[0].path == "/a/b");
  CHECK(planned(at("a/b"), host).dirs[0].path == "/troupe/a/b");
  CHECK(planned(at("/a:b:c"), host).dirs[0].path == "/a:b:c");
}

TEST_CASE("a cgroup path that leaves or is the hierarchy's root is refused") {
  for (const auto* path : {"/a/../b", "..", "/", "//", "/a/\nb"}) {
    CAPTURE(path);
    const auto why = refusal(at(path), v2_host());
    CHECK(why.code == fault::invalid_config);
    CHECK(why.what.starts_with("/linux/cgroupsPath: "));
  }
}

TEST_CASE("systemd's form of a cgroup path is refused as unsupported") {
  const auto why = refusal(at("machine.slice:libpod:abc"), v2_host());
  CHECK(why.code == fault::unsupported);
  CHECK(why.what.starts_with("/linux/cgroupsPath: 'machine.slice:libpod:abc'"));
}

TEST_CASE("memory limits are written in the order a fresh cgroup takes") {
  auto wanted = oci::memory_resources{};
  wanted.limit = 1 << 20;
  wanted.swap = 3 << 20;
  wanted.reservation = 4096;
  CHECK(written(memory(wanted), hybrid_host())
        == lines{"memory memory.limit_in_bytes=1048576",
                 "memory memory.memsw.limit_in_bytes=3145728",
                 "memory memory.soft_limit_in_bytes=4096"});
  CHECK(written(memory(wanted), v2_host())
        == lines{"v2 memory.max=1048576", "v2 memory.swap.max=2097152",
                 "v2 memory.low=4096"});
}

TEST_CASE("kernel memory for TCP is a limit where the kernel has it") {
  auto wanted = oci::memory_resources{};
  wanted.kernel_tcp = 8192;
  CHECK(written(memory(wanted), v1_host())
        == lines{"memory memory.kmem.tcp.limit_in_bytes=8192"});
  CHECK(refusal(with(memory(wanted)), v2_host())
          .what.starts_with("/linux/resources/memory/kernelTCP: "));
}

TEST_CASE("swap equal to the limit means no swap in v2") {
  auto wanted = oci::memory_resources{};
  wanted.limit = wanted.swap = 1 << 20;
  CHECK(written(memory(wanted), v2_host())
        == lines{"v2 memory.max=1048576", "v2 memory.swap.max=0"});
}

TEST_CASE("-1 is unlimited memory, 0 is unset") {
  auto wanted = oci::memory_resources{};
  wanted.limit = wanted.swap = -1;
  wanted.reservation = 0;
  CHECK(written(memory(wanted), v1_host())
        == lines{"memory memory.limit_in_bytes=-1",
                 "memory memory.memsw.limit_in_bytes=-1"});
  CHECK(written(memory(wanted), v2_host())
        == lines{"v2 memory.max=max", "v2 memory.swap.max=max"});
}

TEST_CASE("impossible memory limits are refused with their pointer") {
  auto low_swap = oci::memory_resources{};
  low_swap.limit = 2 << 20;
  low_swap.swap = 1 << 20;
  CHECK(refusal(with(memory(low_swap)), v1_host())
          .what.starts_with("/linux/resources/memory/swap: 1048576: "));
  auto lone_swap = oci::memory_resources{};
  lone_swap.swap = 1 << 20;
  CHECK(refusal(with(memory(lone_swap)), v2_host()).code
        == fault::invalid_config);
  auto negative = oci::memory_resources{};
  negative.limit = -2;
  CHECK(refusal(with(memory(negative)), v1_host())
          .what.starts_with("/linux/resources/memory/limit: -2: "));
  auto swappy = oci::memory_resources{};
  swappy.swappiness = 101;
  CHECK(refusal(with(memory(swappy)), v1_host())
          .what.starts_with("/linux/resources/memory/swappiness: 101: "));
}

TEST_CASE("what only v1 can do with memory is unsupported on v2") {
  auto swappy = oci::memory_resources{};
  swappy.swappiness = 10;
  CHECK(written(memory(swappy), v1_host())
        == lines{"memory memory.swappiness=10"});
  const auto why = refusal(with(memory(swappy)), v2_host());
  CHECK(why.code == fault::unsupported);
  CHECK(why.what
        == "/linux/resources/memory/swappiness: '10': cgroup v2 has no such "
           "limit");
  auto immortal = oci::memory_resources{};
  immortal.disable_oom_killer = true;
  CHECK(written(memory(immortal), v1_host())
        == lines{"memory memory.oom_control=1"});
  CHECK(refusal(with(memory(immortal)), v2_host()).code == fault::unsupported);
  immortal.disable_oom_killer = false;
  CHECK(written(memory(immortal), v2_host()).empty());
}

TEST_CASE("a kernel memory limit is accepted and has no effect") {
  auto wanted = oci::memory_resources{};
  wanted.kernel = 1 << 20;
  wanted.use_hierarchy = true;
  CHECK(written(memory(wanted), v1_host()).empty());
  CHECK(written(memory(wanted), v2_host()).empty());
}

TEST_CASE("checkBeforeUpdate looks at the usage first on v2 only") {
  auto wanted = oci::memory_resources{};
  wanted.limit = 4096;
  wanted.check_before_update = true;
  CHECK(written(memory(wanted), v1_host())
        == lines{"memory memory.limit_in_bytes=4096"});
  CHECK(written(memory(wanted), v2_host())
        == lines{"v2 memory.current=4096", "v2 memory.max=4096"});
}

TEST_CASE("cpu limits are written for both versions") {
  auto wanted = oci::cpu_resources{};
  wanted.shares = 1024;
  wanted.quota = 50000;
  wanted.period = 200000;
  wanted.burst = 1000;
  CHECK(written(cpu(wanted), hybrid_host())
        == lines{"cpu cpu.shares=1024", "cpu cpu.cfs_period_us=200000",
                 "cpu cpu.cfs_quota_us=50000", "cpu cpu.cfs_burst_us=1000"});
  CHECK(written(cpu(wanted), v2_host())
        == lines{"v2 cpu.weight=39", "v2 cpu.max=50000 200000",
                 "v2 cpu.max.burst=1000"});
}

TEST_CASE("a lone quota or period fills in the other on v2") {
  auto quota = oci::cpu_resources{};
  quota.quota = 50000;
  CHECK(written(cpu(quota), v2_host()) == lines{"v2 cpu.max=50000 100000"});
  quota.quota = -1;
  CHECK(written(cpu(quota), v2_host()) == lines{"v2 cpu.max=max 100000"});
  auto period = oci::cpu_resources{};
  period.period = 50000;
  CHECK(written(cpu(period), v2_host()) == lines{"v2 cpu.max=max 50000"});
}

TEST_CASE("an idle group gets no shares") {
  auto wanted = oci::cpu_resources{};
  wanted.shares = 1024;
  wanted.idle = 1;
  CHECK(written(cpu(wanted), v1_host()) == lines{"cpu cpu.idle=1"});
  wanted.idle = 0;
  CHECK(written(cpu(wanted), v1_host())
        == lines{"cpu cpu.idle=0", "cpu cpu.shares=1024"});
}

TEST_CASE("a burst above the quota is refused, realtime is v1's") {
  auto wanted = oci::cpu_resources{};
  wanted.quota = 1000;
  wanted.burst = 1001;
  CHECK(refusal(with(cpu(wanted)), v1_host())
          .what.starts_with("/linux/resources/cpu/burst: 1001: "));
  auto realtime = oci::cpu_resources{};
  realtime.realtime_runtime = 950000;
  realtime.realtime_period = 1000000;
  CHECK(
    written(cpu(realtime), v1_host())
    == lines{"cpu cpu.rt_period_us=1000000", "cpu cpu.rt_runtime_us=950000"});
  CHECK(refusal(with(cpu(realtime)), v2_host()).code == fault::unsupported);
}

TEST_CASE("cpuset is enabled in v2 only for a spec that asks for it") {
  auto wanted = oci::cpu_resources{};
  wanted.cpus = "0-1";
  wanted.mems = "0";
  CHECK(written(cpu(wanted), hybrid_host())
        == lines{"cpuset cpuset.cpus=0-1", "cpuset cpuset.mems=0"});
  const auto v2 = planned(with(cpu(wanted)), v2_host());
  CHECK(v2.subtree_control == "+cpuset +cpu +io +memory +pids");
  CHECK(written(v2) == lines{"v2 cpuset.cpus=0-1", "v2 cpuset.mems=0"});
}

TEST_CASE("shares become a weight within its range") {
  CHECK(cgroup::weight_of_shares(0) == 1);
  CHECK(cgroup::weight_of_shares(2) == 1);
  CHECK(cgroup::weight_of_shares(1024) == 39);
  CHECK(cgroup::weight_of_shares(262144) == 10000);
  CHECK(cgroup::weight_of_shares(1u << 30) == 10000);
}

TEST_CASE("a pids limit that is not positive is no limit") {
  auto wanted = oci::resources{};
  wanted.pids_limit = 12;
  CHECK(written(wanted, hybrid_host()) == lines{"pids pids.max=12"});
  wanted.pids_limit = -1;
  CHECK(written(wanted, v2_host()) == lines{"v2 pids.max=max"});
}

TEST_CASE("a limit without its controller is unsupported, with its pointer") {
  auto host = v1_host();
  host.v1_mounts.erase("pids");
  auto wanted = oci::resources{};
  wanted.pids_limit = 12;
  const auto why = refusal(with(wanted), host);
  CHECK(why.code == fault::unsupported);
  CHECK(why.what
        == "/linux/resources/pids/limit: '12': this host has no pids cgroup "
           "controller");
}

TEST_CASE("block device limits name both schedulers' files") {
  auto io = oci::block_io_resources{};
  io.weight = 500;
  io.throttle_read_bps = {{8, 0, 600}};
  io.throttle_write_iops = {{8, 16, 0}};
  auto wanted = oci::resources{};
  wanted.block_io = io;
  CHECK(written(wanted, hybrid_host())
        == lines{"blkio blkio.weight|blkio.bfq.weight=500|500",
                 "blkio blkio.throttle.read_bps_device=8:0 600",
                 "blkio blkio.throttle.write_iops_device=8:16 0"});
  CHECK(written(wanted, v2_host())
        == lines{"v2 io.bfq.weight|io.weight=500|4950",
                 "v2 io.max=8:0 rbps=600", "v2 io.max=8:16 wiops=max"});
}

TEST_CASE("weights by device are written, leaf weights are v1's") {
  auto io = oci::block_io_resources{};
  io.weight_device = {{8, 0, 100, std::nullopt}, {8, 16, std::nullopt, 30}};
  auto wanted = oci::resources{};
  wanted.block_io = io;
  CHECK(written(wanted, v1_host())
        == lines{"blkio blkio.weight_device|blkio.bfq.weight_device=8:0 "
                 "100|8:0 100",
                 "blkio blkio.leaf_weight_device=8:16 30"});
  CHECK(refusal(with(wanted), v2_host())
          .what.starts_with(
            "/linux/resources/blockIO/weightDevice/1/leafWeight: "));
}

TEST_CASE("huge pages are limited where the controller is, even in hybrid") {
  auto wanted = oci::resources{};
  wanted.hugepage_limits = {{"2MB", 4 << 20}};
  const auto plan = planned(with(wanted), hybrid_host());
  CHECK(plan.subtree_control == "+hugetlb");
  CHECK(written(plan)
        == lines{"v2 hugetlb.2MB.rsvd.max|hugetlb.2MB.max=4194304|4194304"});
  const auto why = refusal(with(wanted), v1_host());
  CHECK(why.code == fault::unsupported);
  CHECK(why.what.starts_with("/linux/resources/hugepageLimits/0/limit: "));
  wanted.hugepage_limits[0].page_size = "../x";
  CHECK(refusal(with(wanted), v2_host()).code == fault::invalid_config);
}

TEST_CASE("network and rdma limits need their controllers") {
  auto net = oci::resources{};
  net.network = oci::network_resources{7, {{"eth0", 5}}};
  CHECK(refusal(with(net), hybrid_host())
          .what.starts_with("/linux/resources/network/classID: "));
  auto host = v1_host();
  host.v1_mounts["net_cls"] = host.v1_mounts["net_prio"] = "/cg/net";
  CHECK(written(net, host)
        == lines{"net_cls,net_prio net_cls.classid=7",
                 "net_cls,net_prio net_prio.ifpriomap=eth0 5"});
  auto rdma = oci::resources{};
  rdma.rdma = {{"mlx5_1", {3, 10000}}};
  CHECK(written(rdma, v2_host())
        == lines{"v2 rdma.max=mlx5_1 hca_handle=3 hca_object=10000"});
  CHECK(refusal(with(rdma), v1_host()).code == fault::unsupported);
}

TEST_CASE("unified entries are written to v2, a line at a time") {
  auto wanted = oci::resources{};
  wanted.unified = {{"cgroup.max.depth", "3"},
                    {"io.max", "8:0 rbps=1\n8:16 wbps=2"},
                    {"misc.max", "res_a 1"}};
  auto host = v2_host();
  host.v2_controllers.emplace_back("misc");
  const auto plan = planned(with(wanted), host);
  CHECK(plan.subtree_control == "+cpu +io +memory +pids +misc");
  CHECK(written(plan)
        == lines{"v2 cgroup.max.depth=3", "v2 io.max=8:0 rbps=1",
                 "v2 io.max=8:16 wbps=2", "v2 misc.max=res_a 1"});
  CHECK(plan.writes[3].origin == "/linux/resources/unified/misc.max");
}

TEST_CASE("unified entries that cannot be written are refused by name") {
  auto wanted = oci::resources{};
  wanted.unified = {{"misc.max", "1"}};
  CHECK(refusal(with(wanted), v2_host()).what
        == "/linux/resources/unified/misc.max: this host has no misc "
           "controller in cgroup v2");
  wanted.unified = {{"memory.high", "1"}};
  const auto why = refusal(with(wanted), hybrid_host());
  CHECK(why.code == fault::unsupported);
  CHECK(why.what.starts_with("/linux/resources/unified/memory.high: "));
  for (const auto* key : {"../x.y", "noDot", ".x", "a.b/c", "a.b|c.d"}) {
    wanted.unified = {{key, "1"}};
    CAPTURE(key);
    CHECK(refusal(with(wanted), v2_host()).code == fault::invalid_config);
  }
}

TEST_CASE("every write carries the pointer of what asked for it") {
  auto wanted = memory({});
  wanted.memory->limit = 4096;
  wanted.pids_limit = 5;
  for (const auto& each : planned(with(wanted), hybrid_host()).writes)
    CHECK(each.origin
          == (each.file == "pids.max" ? "/linux/resources/pids/limit"
                                      : "/linux/resources/memory/limit"));
}

} // namespace troupe::cgroup_writes_test
