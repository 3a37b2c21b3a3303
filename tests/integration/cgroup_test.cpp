#include "tests/support/repeats.hpp"
#include "tests/support/scratch_cgroup.hpp"

#include <set>
#include <sys/mman.h>
#include <sys/wait.h>

namespace troupe::cgroup_test {

using namespace troupe::cgroup_test;
using plan::cgroup_mode;

namespace {

constexpr auto mebibyte = std::int64_t{1} << 20;

oci::resources memory_limit(std::int64_t limit, std::int64_t swap) {
  auto out = oci::resources{};
  out.memory.emplace();
  out.memory->limit = limit;
  out.memory->swap = swap;
  return out;
}

/// Touches memory without end.
int eat_memory() {
  for (;;) {
    auto* const block = static_cast<char*>(
      ::mmap(nullptr, mebibyte, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));
    if (block == MAP_FAILED)
      return 1;
  }
}

bool is_readable(int fd, short events, int timeout_ms) {
  auto about = pollfd{fd, events, 0};
  return ::poll(&about, 1, timeout_ms) == 1;
}

} // namespace

// -- create -------------------------------------------------------------------

TEST_CASE("create makes directories in every hierarchy and remove leaves none",
          "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  const auto box = scratch_cgroup{mode};
  box.create();
  for (const auto& dir : box.plan.dirs)
    CHECK(exists(dir.mount + dir.path));
  CHECK(cgroup::remove(box.plan, patience));
  CHECK(box.is_gone());
  CHECK(cgroup::remove(box.plan, patience));
}

TEST_CASE("limits are in the kernel's files after create", "[root]") {
  const auto mode = limiting_mode();
  if (mode == cgroup_mode::none)
    return;
  const auto v2 = mode == cgroup_mode::v2;
  auto limits = memory_limit(64 * mebibyte, 96 * mebibyte);
  limits.memory->reservation = 32 * mebibyte;
  limits.cpu.emplace();
  limits.cpu->shares = 512;
  limits.cpu->quota = 50000;
  limits.cpu->period = 200000;
  limits.cpu->burst = 1000;
  limits.cpu->cpus = "0";
  limits.pids_limit = 33;
  if (!v2) { // v2 has no swappiness, and weights only for some disks
    limits.memory->swappiness = 7;
    limits.block_io.emplace();
    limits.block_io->weight = 200;
  }
  const auto box = scratch_cgroup{mode, limits};
  box.create();
  CHECK(content(box.directory("pids") + "/pids.max") == "33");
  CHECK(content(box.directory("cpuset") + "/cpuset.cpus") == "0");
  if (v2) {
    const auto own = box.directory("");
    CHECK(content(own + "/memory.max") == "67108864");
    CHECK(content(own + "/memory.swap.max") == "33554432"); // without memory
    CHECK(content(own + "/memory.low") == "33554432");
    CHECK(content(own + "/cpu.weight") == "20");
    CHECK(content(own + "/cpu.max") == "50000 200000");
    CHECK(content(own + "/cpu.max.burst") == "1000");
    return;
  }
  const auto memory = box.directory("memory");
  CHECK(content(memory + "/memory.limit_in_bytes") == "67108864");
  CHECK(content(memory + "/memory.memsw.limit_in_bytes") == "100663296");
  CHECK(content(memory + "/memory.soft_limit_in_bytes") == "33554432");
  CHECK(content(memory + "/memory.swappiness") == "7");
  const auto cpu = box.directory("cpu");
  CHECK(content(cpu + "/cpu.shares") == "512");
  CHECK(content(cpu + "/cpu.cfs_quota_us") == "50000");
  CHECK(content(cpu + "/cpu.cfs_period_us") == "200000");
  CHECK(content(cpu + "/cpu.cfs_burst_us") == "1000");
  CHECK_FALSE(content(box.directory("cpuset") + "/cpuset.mems").empty());
  CHECK(content(box.directory("blkio") + "/blkio.bfq.weight") == "200");
}

TEST_CASE("memory and swap can be raised and lowered together", "[root]") {
  const auto mode = limiting_mode();
  if (mode == cgroup_mode::none)
    return;
  auto box = scratch_cgroup{mode, memory_limit(64 * mebibyte, 64 * mebibyte)};
  box.create();
  for (const auto size : {128 * mebibyte, 32 * mebibyte}) {
    auto writes = cgroup::plan_writes(memory_limit(size, size), box.plan);
    REQUIRE(writes);
    box.plan.writes = *writes;
    CHECK(cgroup::apply(box.plan));
    const auto memory = box.directory("memory");
    if (mode == cgroup_mode::v2) {
      CHECK(content(memory + "/memory.max") == std::to_string(size));
      CHECK(content(memory + "/memory.swap.max") == "0");
      continue;
    }
    CHECK(content(memory + "/memory.limit_in_bytes") == std::to_string(size));
    CHECK(content(memory + "/memory.memsw.limit_in_bytes")
          == std::to_string(size));
  }
}

TEST_CASE("a write that the kernel refuses undoes the whole create", "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  auto box = scratch_cgroup{mode};
  const auto last = static_cast<std::uint32_t>(box.plan.dirs.size() - 1);
  box.plan.writes = {{last, "no.such_file", "1", ""}};
  const auto done = cgroup::create(box.plan);
  REQUIRE_FALSE(done);
  CHECK(done.error().phase == plan::phase::cgroup_write);
  CHECK(done.error().index == 0);
  CHECK(done.error().os_errno == ENOENT);
  CHECK(done.error().path.ends_with(box.top() + "/box/no.such_file"));
  CHECK(box.is_gone());
  CHECK_FALSE(exists(box.plan.dirs[0].mount + box.top()));
}

TEST_CASE("an empty cgroup is taken over and thawed, one in use is refused",
          "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  const auto box = scratch_cgroup{mode};
  box.create();
  const auto control = cgroup::open_control(box.plan);
  REQUIRE(control->freeze());
  box.create();
  CHECK(control->state() == cgroup::freeze_state::thawed);
  const auto user = victim{box.plan, wait_for_ever};
  const auto again = cgroup::create(box.plan);
  REQUIRE_FALSE(again);
  CHECK(again.error().phase == plan::phase::cgroup_create);
  CHECK(again.error().os_errno == EBUSY);
  CHECK_FALSE(box.is_gone());
  CHECK(user.is_running());
}

TEST_CASE("create holds its own against removal of its parent", "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  const auto box = scratch_cgroup{mode};
  const auto& first = box.plan.dirs.front();
  const auto parent = first.mount + box.top();
  const auto rival = ::fork();
  if (rival == 0)
    for (;;)
      ::rmdir(parent.c_str());
  auto errors = std::set<int>{};
  for (auto i = 0; i < test::repeats(300); ++i) {
    if (const auto made = cgroup::create(box.plan); !made)
      errors.insert(made.error().os_errno);
    static_cast<void>(cgroup::remove(box.plan, patience));
  }
  ::kill(rival, SIGKILL);
  ::waitpid(rival, nullptr, 0);
  CHECK(errors == std::set<int>{});
}

TEST_CASE("v2 controllers are enabled down to the parent", "[root]") {
  const auto facts = sys::probe_host("/x");
  if (std::ranges::count(facts.v2_controllers, "hugetlb") == 0)
    return test::skipped("the v2 hierarchy has no hugetlb controller");
  const auto file = facts.v2_mount + "/cgroup.subtree_control";
  const auto before = content(file);
  {
    auto box = scratch_cgroup{cgroup_mode::v2};
    box.plan.subtree_control = "+hugetlb";
    box.plan.writes = {{0, "no.such_file|hugetlb.2MB.max", "1|4194304", ""}};
    box.create();
    CHECK(content(facts.v2_mount + box.top() + "/cgroup.subtree_control")
          == "hugetlb");
    CHECK(content(box.directory("") + "/hugetlb.2MB.max") == "4194304");
  }
  if (before.empty())
    static_cast<void>(sys::write_file(AT_FDCWD, file, "-hugetlb"));
  CHECK(content(file) == before);
}

// -- enter --------------------------------------------------------------------

TEST_CASE("a child that enters is in every hierarchy", "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  const auto box = scratch_cgroup{mode};
  box.create();
  const auto child = victim{box.plan, wait_for_ever};
  const auto seen = content("/proc/" + std::to_string(child.pid()) + "/cgroup")
                    + "\n";
  for (const auto& dir : box.plan.dirs) {
    CAPTURE(dir.controller, seen);
    CHECK(seen.find(":" + dir.controller + ":" + dir.path + "\n")
          != std::string::npos);
  }
  const auto control = cgroup::open_control(box.plan);
  CHECK(control->processes() == std::vector<pid_t>{child.pid()});
}

TEST_CASE("an entrance to a cgroup that is not there names its directory",
          "[root]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  const auto box = scratch_cgroup{mode};
  const auto through = cgroup::open_entrance(box.plan);
  REQUIRE_FALSE(through);
  CHECK(through.error().phase == plan::phase::cgroup_place);
  CHECK(through.error().os_errno == ENOENT);
  CHECK(through.error().path.find(box.top()) != std::string::npos);
}

// -- limits that bite ---------------------------------------------------------

TEST_CASE("a process above its memory limit is killed and counted", "[root]") {
  const auto mode = limiting_mode();
  if (mode == cgroup_mode::none)
    return;
  const auto box = scratch_cgroup{mode,
                                  memory_limit(16 * mebibyte, 32 * mebibyte)};
  box.create();
  const auto control = cgroup::open_control(box.plan);
  const auto notice = control->watch_oom();
  REQUIRE(notice);
  REQUIRE(notice->fd);
  // v1: an eventfd; v2: a file whose changes are exceptional conditions.
  const auto events = static_cast<short>(notice->epoll_events);
  cgroup::rearm(*notice);
  CHECK_FALSE(is_readable(notice->fd.get(), events, 0));
  CHECK(control->oom_kills() == 0);
  auto eater = victim{box.plan, eat_memory};
  CHECK(eater.wait().signal == SIGKILL);
  CHECK(is_readable(notice->fd.get(), events, test::patient_ms(30'000)));
  cgroup::rearm(*notice);
  CHECK_FALSE(is_readable(notice->fd.get(), events, 0));
  CHECK(control->oom_kills() == 1);
  const auto counters = control->read();
  REQUIRE(counters);
  CHECK(counters->oom_kills == 1);
  CHECK(counters->memory.failcnt > 0);
  CHECK(counters->memory.limit == 16 * mebibyte);
  CHECK(counters->memory.max_usage > 8 * mebibyte);
}

TEST_CASE("an OOM kill in a cgroup made inside is counted too", "[root]") {
  const auto mode = limiting_mode();
  if (mode == cgroup_mode::none)
    return;
  auto box = scratch_cgroup{mode == cgroup_mode::v2 ? mode : cgroup_mode::v1,
                            memory_limit(16 * mebibyte, 16 * mebibyte)};
  box.create();
  const auto inner = box.inside("/inner");
  REQUIRE(cgroup::create(inner));
  auto eater = victim{inner, eat_memory};
  CHECK(eater.wait().signal == SIGKILL);
  CHECK(cgroup::open_control(box.plan)->oom_kills() == 1);
}

TEST_CASE("a fork above the pids limit fails", "[root]") {
  const auto mode = limiting_mode();
  if (mode == cgroup_mode::none)
    return;
  auto limits = oci::resources{};
  limits.pids_limit = 1;
  const auto box = scratch_cgroup{mode, limits};
  box.create();
  auto forker = victim{box.plan, [] {
                         const auto child = ::fork();
                         if (child == 0)
                           ::_exit(0);
                         return child < 0 ? errno : 0;
                       }};
  CHECK(forker.wait().code == EAGAIN);
}

TEST_CASE("devices that no rule allows cannot be opened", "[root][rule-13]") {
  const auto mode = GENERATE(from_range(usable_modes()));
  auto limits = oci::resources{};
  limits.devices = {{false, "a", {}, {}, "rwm"}};
  auto box = scratch_cgroup{mode, limits};
  box.create();
  const auto open_errno = [](const char* path) {
    return ::open(path, O_RDWR | O_CLOEXEC) < 0 ? errno : 0;
  };
  auto kmsg = victim{box.plan, [&] { return open_errno("/dev/kmsg"); }};
  auto null = victim{box.plan, [&] { return open_errno("/dev/null"); }};
  CHECK(kmsg.wait().code == EPERM);
  CHECK(null.wait().code == 0);
}

TEST_CASE("a second device program takes the place of the first",
          "[root][rule-13]") {
  const auto facts = sys::probe_host("/x");
  if (facts.v2_mount.empty())
    return test::skipped("no v2 hierarchy");
  auto box = scratch_cgroup{cgroup_mode::v2};
  const auto file = std::string{cgroup::device_program_file};
  box.plan.writes = {{0, file, "deny a *:* rwm\nallow c 1:5 rwm", ""}};
  box.create();
  const auto open_null = [] {
    return ::open("/dev/null", O_RDWR | O_CLOEXEC) < 0 ? errno : 0;
  };
  auto before = victim{box.plan, open_null};
  CHECK(before.wait().code == EPERM);
  box.plan.writes[0].value = "deny a *:* rwm\nallow c 1:3 rw";
  REQUIRE(cgroup::apply(box.plan));
  auto after = victim{box.plan, open_null};
  CHECK(after.wait().code == 0);
}

// -- probe --------------------------------------------------------------------

TEST_CASE("the probe finds this host's hierarchies", "[root]") {
  const auto facts = sys::probe_host("/here");
  CHECK(facts.cgroup_parent == "/here");
  for (const auto& [controller, mount] : facts.v1_mounts) {
    CAPTURE(controller, mount);
    CHECK(exists(mount + "/tasks"));
  }
  if (!facts.v2_mount.empty())
    CHECK(exists(facts.v2_mount + "/cgroup.controllers"));
  CHECK(facts.last_capability
        == std::stoull(content("/proc/sys/kernel/cap_last_cap")));
  CHECK((facts.permitted_capabilities >> facts.last_capability >> 1) == 0);
  CHECK(facts.time_namespaces == exists("/proc/self/ns/time"));
}

} // namespace troupe::cgroup_test
