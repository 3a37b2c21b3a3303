#include "runtime/cgroup/stat_files.hpp"
#include "runtime/linux/kernel_log.hpp"
#include "runtime/linux/net_counters.hpp"

#include <catch2/catch.hpp>

namespace troupe::stat_files_test {

using namespace troupe::cgroup;

TEST_CASE("numbers, limits and what is neither", "[stats]") {
  CHECK(to_number("42\n") == 42);
  CHECK(to_number("max\n") == no_limit);
  CHECK(to_number("9223372036854771712\n") == no_limit); // v1, 4 KiB pages
  CHECK(to_number("") == -1);
  CHECK(to_number("none") == -1);
  CHECK(field_in("low 0\noom 3\noom_kill 2\n", "oom_kill") == 2);
  CHECK(field_in("low 0\noom 3\noom_kill 2\n", "oom") == 3);
  CHECK(field_in("low 0\n", "oom") == -1);
}

TEST_CASE("memory.stat is a list of names", "[stats]") {
  CHECK(parse_named("anon 4096\nfile 0\n")
        == std::vector<named_number>{{"anon", 4096}, {"file", 0}});
  CHECK(parse_named("anon\n\nfile 1").size() == 1);
  CHECK(parse_list("12 0 7 \n") == std::vector<std::int64_t>{12, 0, 7});
}

TEST_CASE("block devices of v1 and v2 come to the same", "[stats]") {
  block_io disk{8, 0, 4096, 512, 0, 1, 2, 0};
  CHECK(parse_block_v1("8:0 Read 4096\n8:0 Write 512\n8:0 Sync 4608\n8:0 "
                       "Discard 0\n8:0 Total 4608\nTotal 4608\n",
                       "8:0 Read 1\n8:0 Write 2\nTotal 3\n")
        == std::vector{disk});
  CHECK(parse_block_v2("8:0 rbytes=4096 wbytes=512 rios=1 wios=2 dbytes=0 "
                       "dios=0\n")
        == std::vector{disk});
  CHECK(parse_block_v1("Total 0\n", "").empty());
  CHECK(parse_block_v2("garbage\n:\n8 rbytes=1\n").empty());
}

TEST_CASE("pressure and rdma", "[stats]") {
  const auto seen = parse_pressure("some avg10=1.53 avg60=0.87 avg300=0.25 "
                                   "total=63126\nfull avg10=0.10 avg60=0.00 "
                                   "avg300=0.00 total=7\n");
  CHECK(seen.some.avg10 == 1.53);
  CHECK(seen.some.total_us == 63126);
  CHECK(seen.full.avg10 == 0.10);
  CHECK(seen.full.total_us == 7);
  CHECK(parse_pressure("").some.total_us == -1);
  CHECK(parse_rdma("mlx4_0 hca_handle=2 hca_object=max\n")
        == std::vector<rdma_device>{{"mlx4_0", 2, no_limit}});
}

TEST_CASE("network interfaces by name, aliases too", "[stats]") {
  const auto all = sys::parse_net_counters(
    "Inter-|   Receive                                                |  "
    "Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes "
    "   packets errs drop fifo colls carrier compressed\n"
    "    lo:     100       1    0    0    0     0          0         0      "
    "100       1    0    0    0     0       0          0\n"
    "eth0:1: 5 6 7 8 0 0 0 0 9 10 11 12 0 0 0 0\n");
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "lo");
  CHECK(all[0].tx_bytes == 100);
  CHECK(all[1] == sys::net_counters{"eth0:1", 5, 6, 7, 8, 9, 10, 11, 12});
}

TEST_CASE("the kernel names the victim of an OOM kill", "[stats][oom]") {
  const auto told = sys::parse_oom_report(
    "6,30512,45833286712,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=("
    "null),cpuset=web,mems_allowed=0,oom_memcg=/troupe/web,task_memcg=/troupe/"
    "web/sub,task=a,b pid=1,pid=4711,uid=0\n");
  REQUIRE(told);
  CHECK(told->limited == "/troupe/web");
  CHECK(told->cgroup == "/troupe/web/sub");
  CHECK(told->pid == 4711);
  const auto global = sys::parse_oom_report(
    "6,1,2,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,"
    "mems_allowed=0,global_oom,task_memcg=/troupe/web,task=dd,pid=7,uid=0\n");
  REQUIRE(global);
  CHECK(global->limited.empty());
  CHECK(global->command == "dd");
  CHECK_FALSE(sys::parse_oom_report("6,1,2,-;Memory cgroup out of memory\n"));
  CHECK_FALSE(sys::parse_oom_report("garbage"));
  CHECK_FALSE(sys::parse_oom_report( // a process wrote this
    "14,1,2,-;oom-kill:constraint=CONSTRAINT_NONE,task_memcg=/troupe/web,"
    "task=dd,pid=7,uid=0\n"));
}

} // namespace troupe::stat_files_test
