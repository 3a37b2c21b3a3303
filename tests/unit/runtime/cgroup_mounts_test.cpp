#include "runtime/probe/cgroup_mounts.hpp"

#include <catch2/catch.hpp>

namespace troupe::cgroup_mounts_test {

using plan::cgroup_mode;

namespace {

constexpr auto controllers = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
                             "cpu\t1\t1\t1\n"
                             "cpuacct\t1\t1\t1\n"
                             "memory\t2\t1\t1\n"
                             "hugetlb\t0\t1\t0\n";

plan::host_facts found(std::string_view mountinfo) {
  auto out = plan::host_facts{};
  sys::add_cgroup_mounts(out, mountinfo, controllers);
  return out;
}

} // namespace

TEST_CASE("v1 hierarchies beside a v2 one are a hybrid") {
  const auto facts = found(
    "32 31 0:29 / /cg/cpu rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /cg/memory rw - cgroup cgroup rw,memory\n"
    "40 31 0:37 / /cg/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "41 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw,nsdelegate\n");
  CHECK(facts.cgroups == cgroup_mode::hybrid);
  CHECK(facts.v1_mounts
        == std::map<std::string, std::string>{{"cpu", "/cg/cpu"},
                                              {"cpuacct", "/cg/cpu"},
                                              {"memory", "/cg/memory"},
                                              {"name=systemd", "/cg/systemd"}});
  CHECK(facts.v2_mount == "/cg/unified");
}

TEST_CASE("a named hierarchy alone does not make v1") {
  const auto facts = found(
    "40 31 0:37 / /cg/systemd rw - cgroup cgroup rw,name=systemd\n"
    "41 31 0:38 / /cg rw - cgroup2 cgroup2 rw\n");
  CHECK(facts.cgroups == cgroup_mode::v2);
}

TEST_CASE("v1 alone, disabled controllers and odd mount points") {
  const auto facts = found("1 2 0:1 / /my\\040cg rw - cgroup cgroup rw,memory\n"
                           "1 2 0:2 / /huge rw - cgroup cgroup rw,hugetlb\n"
                           "1 2 0:3 / /again rw - cgroup cgroup rw,memory\n");
  CHECK(facts.cgroups == cgroup_mode::v1);
  CHECK(facts.v1_mounts
        == std::map<std::string, std::string>{{"memory", "/my cg"}});
}

TEST_CASE("mounts that are no cgroups, or no mounts, count as none") {
  CHECK(found("23 1 0:5 / /proc rw - proc proc rw\nrubbish\n- \n\n").cgroups
        == cgroup_mode::none);
}

TEST_CASE("resctrl is found where it is mounted") {
  CHECK(found("50 31 0:40 / /sys/fs/resctrl rw - resctrl resctrl rw\n")
          .resctrl_mount
        == "/sys/fs/resctrl");
  CHECK(found("40 31 0:37 / /sys rw - sysfs sysfs rw\n").resctrl_mount.empty());
}

} // namespace troupe::cgroup_mounts_test
