#include "tests/support/scratch_cgroup.hpp"

namespace troupe::cgroup_control_test {

using namespace troupe::cgroup_test;
using plan::cgroup_mode;

namespace {

int burn_cpu() {
  for (auto x = 0u;; ++x)
    asm volatile("" : : "r"(x) : "memory");
}

} // namespace

// -- control ------------------------------------------------------------------

TEST_CASE("a cgroup freezes and thaws", "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  const auto box = scratch_cgroup{mode};
  box.create();
  const auto burner = victim{box.plan, burn_cpu};
  const auto control = cgroup::open_control(box.plan);
  CHECK(control->state() == cgroup::freeze_state::thawed);
  REQUIRE(control->freeze());
  CHECK(eventually(
    [&] { return control->state() == cgroup::freeze_state::frozen; }));
  const auto used = control->read()->cpu_usage_ns;
  const auto later = control->read()->cpu_usage_ns;
  CHECK(used == later);
  REQUIRE(control->thaw());
  CHECK(eventually(
    [&] { return control->state() == cgroup::freeze_state::thawed; }));
  CHECK(eventually([&] { return control->read()->cpu_usage_ns > used; }));
}

TEST_CASE("signal_all reaches every process, nested cgroups included",
          "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  const auto signo = GENERATE(SIGKILL, SIGUSR1);
  const auto box = scratch_cgroup{mode};
  box.create();
  const auto inner = box.inside("/a/b");
  REQUIRE(cgroup::create(inner));
  auto one = victim{box.plan, wait_for_ever};
  auto two = victim{box.plan, wait_for_ever};
  auto three = victim{inner, wait_for_ever};
  const auto control = cgroup::open_control(box.plan);
  CHECK(control->processes()->size() == 3);
  REQUIRE(control->signal_all(signo));
  CHECK(one.wait().signal == signo);
  CHECK(two.wait().signal == signo);
  CHECK(three.wait().signal == signo);
  CHECK(eventually([&] { return control->processes()->empty(); }));
  CHECK(control->signal_all(signo));
}

TEST_CASE("more processes than fit in one batch are all signalled", "[root]") {
  const auto box = scratch_cgroup{usable_modes().back()};
  box.create();
  auto parent = victim{box.plan, [] {
                         for (auto i = 0; i < 300; ++i)
                           if (::fork() == 0)
                             wait_for_ever();
                         return wait_for_ever();
                       }};
  const auto control = cgroup::open_control(box.plan);
  REQUIRE(eventually([&] { return control->processes()->size() == 301; }));
  REQUIRE(control->signal_all(SIGTERM));
  CHECK(parent.wait().signal == SIGTERM);
  CHECK(eventually([&] { return control->processes()->empty(); }));
}

TEST_CASE("counters move, and those that a host lacks are -1", "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  const auto box = scratch_cgroup{mode};
  box.create();
  const auto control = cgroup::open_control(box.plan);
  const auto burner = victim{box.plan, burn_cpu};
  CHECK(eventually([&] { return control->read()->cpu_usage_ns > 20'000'000; }));
  const auto counters = control->read();
  REQUIRE(counters);
  CHECK(counters->cpu_user_ns > 0);
  CHECK(counters->cpu_system_ns >= 0);
  if (mode == cgroup_mode::v2 && usable_modes().size() > 1)
    return test::skipped("the v2 hierarchy has no controllers on this host");
  CHECK(counters->pids_current == 1);
  CHECK(counters->pids_limit == INT64_MAX);
  CHECK(counters->memory.limit == INT64_MAX);
  CHECK(counters->memory.usage >= 0);
  CHECK(counters->memory_cache >= 0);
  CHECK(counters->cpu_periods == 0);
  CHECK(counters->oom_kills == 0);
}

TEST_CASE("the control of a removed cgroup says that it is not found",
          "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  const auto box = scratch_cgroup{mode};
  const auto control = cgroup::open_control(box.plan);
  CHECK(control->freeze().error().code == fault::not_found);
  CHECK(control->state().error().code == fault::not_found);
  CHECK(control->processes().error().code == fault::not_found);
  CHECK(control->signal_all(SIGKILL).error().code == fault::not_found);
  CHECK(control->read().error().code == fault::not_found);
  CHECK(control->oom_kills().error().code == fault::not_found);
  CHECK(control->watch_oom().error().code == fault::not_found);
}

// -- remove -------------------------------------------------------------------

TEST_CASE("remove kills and removes what is populated, frozen and nested",
          "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  const auto box = scratch_cgroup{mode};
  box.create();
  const auto inner = box.inside("/a/b");
  REQUIRE(cgroup::create(inner));
  auto outer_process = victim{box.plan, wait_for_ever};
  auto inner_process = victim{inner, wait_for_ever};
  REQUIRE(cgroup::open_control(inner)->freeze());
  const auto control = cgroup::open_control(box.plan);
  REQUIRE(control->freeze());
  REQUIRE(eventually(
    [&] { return control->state() == cgroup::freeze_state::frozen; }));
  const auto done = cgroup::remove(box.plan, patience);
  CHECK(done);
  CHECK(box.is_gone());
  CHECK(outer_process.wait().signal == SIGKILL);
  CHECK(inner_process.wait().signal == SIGKILL);
}

TEST_CASE("remove ends a process that forks without end", "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  auto limits = oci::resources{};
  if (mode != cgroup_mode::v2 || usable_modes().size() == 1)
    limits.pids_limit = 200;
  const auto box = scratch_cgroup{mode, limits};
  box.create();
  auto bomb = victim{box.plan, []() -> int {
                       ::signal(SIGCHLD, SIG_IGN);
                       for (;;) // each lives only as long as it takes to fork
                         if (::fork() > 0)
                           ::_exit(0);
                     }};
  CHECK(cgroup::remove(box.plan, patience));
  CHECK(box.is_gone());
}

TEST_CASE("remove refuses the root of a hierarchy", "[root]") {
  auto box = scratch_cgroup{usable_modes().front()};
  auto root = box.plan;
  for (auto& dir : root.dirs)
    dir.path = "/";
  const auto done = cgroup::remove(root, patience);
  REQUIRE_FALSE(done);
  CHECK(done.error().os_errno == EINVAL);
}

TEST_CASE("remove gives up in time, naming what would not go", "[root]") {
  const auto box = scratch_cgroup{usable_modes().back()};
  box.create();
  const auto user = victim{box.plan, wait_for_ever};
  const auto done = cgroup::remove(box.plan, std::chrono::milliseconds{0});
  REQUIRE_FALSE(done);
  CHECK(done.error().phase == plan::phase::cgroup_kill);
  CHECK(done.error().os_errno == EBUSY);
  CHECK(user.is_running());
}

TEST_CASE("a parent is removed once nothing is in it", "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  const auto box = scratch_cgroup{mode};
  box.create();
  const auto parent = box.plan.dirs.front().mount + box.top();
  cgroup::remove_parent(box.plan, box.top());
  CHECK(exists(parent));
  REQUIRE(cgroup::remove(box.plan, patience));
  cgroup::remove_parent(box.plan, box.top());
  CHECK_FALSE(exists(parent));
}

} // namespace troupe::cgroup_control_test
