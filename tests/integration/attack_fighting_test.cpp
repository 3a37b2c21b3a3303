#include "tests/support/attacker.hpp"
#include "tests/support/oci_box.hpp"
#include "tests/support/repeats.hpp"
#include "tests/support/shim_box.hpp"
#include "tests/support/supervisor.hpp"

#include <future>

// Containers that fight back when something is executed in them. A session ends
// in its time with a result or a clear error, nothing of it stays behind, and
// the container can be looked at, killed and deleted as ever.

namespace troupe::attack_fighting_test {

using Catch::Contains;
using test::attacker;
using test::oci_box;

namespace {

using words = std::vector<std::string>;

void run_box(oci_box& box, const std::string& script) {
  box.runs(script);
  box.create("web");
  REQUIRE(box.call({"start", "web"}).exit_code == 0);
}

/// The program of a container that stops whatever joins it.
const words stopping{"/bin/attacker", "/data/report", "stop"};

std::ptrdiff_t open_descriptors() {
  const auto all = std::filesystem::directory_iterator{"/proc/self/fd"};
  return std::distance(begin(all), end(all));
}

/// What a test of sessions leaves behind: none of their processes, of the
/// container's mounts, cgroups and files.
void check_ends_clean(const oci_box& box) {
  CHECK(box.status("web") == "running");
  CHECK(box.call({"kill", "web", "KILL"}).exit_code == 0);
  box.wait_until_stopped("web");
  const auto removed = box.call({"delete", "web"});
  INFO(removed.err);
  CHECK(removed.exit_code == 0);
  CHECK(box.leftovers() == words{});
  CHECK(test::leftovers(box.root(), "/no such cgroup") == words{});
  CHECK(test::leftovers(box.fs.bundle(), "/no such cgroup") == words{});
}

bool has_all_capabilities(oci::spec& spec) {
  auto& sets = *spec.process->capabilities;
  for (auto* set : {&sets.bounding, &sets.effective, &sets.permitted})
    set->push_back("CAP_SYS_ADMIN");
  return true;
}

} // namespace

TEST_CASE("a session in a container that kills whatever joins it ends",
          "[rule-4]") {
  oci_box box;
  run_box(box, "while :; do kill -9 -1; done");
  const auto descriptors = open_descriptors();
  auto killed = 0;
  for (auto i = 0; i < test::repeats(20); ++i) {
    const auto done = box.call({"exec", "web", "/bin/sleep", "0.01"});
    CAPTURE(done.exit_code, done.err);
    CHECK_FALSE(done.timed_out);
    const auto in_time = done.exit_code == 0;
    const auto by_signal = done.exit_code == 128 + SIGKILL;
    killed += by_signal ? 1 : 0;
    if (!in_time && !by_signal) {
      ++killed;
      CHECK(done.exit_code == 255);
      CHECK_THAT(done.err, Contains("unable to start container process"));
    }
  }
  CHECK(killed > 0);
  CHECK(open_descriptors() == descriptors);
  check_ends_clean(box);
}

TEST_CASE("a session that the container stops on its way in fails in time",
          "[rule-4][shim]") {
  oci_box box;
  const attacker hostile{box.fs};
  start(box, hostile, stopping);
  auto by_oci = std::async(std::launch::async, [&] {
    for (;;) { // until one does not slip through
      auto done = box.call({"exec", "web", "/bin/true"});
      if (done.exit_code != 0)
        return done;
    }
  });
  test::shim_box other;
  attacker also_hostile{other.fs};
  const auto plan = test::quick_plan(other.fs, stopping);
  other.begin(test::launch_of("web-1"), plan);
  also_hostile.wait_until_ready();
  plan::exec_plan exec;
  exec.id = plan.id;
  exec.namespaces = plan.namespaces.clone_flags;
  exec.process = plan.process;
  exec.process.args = {"/bin/true"};
  auto request = test::launch_of("");
  request.target = "web-1";
  auto created = shim::reply{};
  for (auto i = 0; created.fault == 0 && i < 1000; ++i) {
    exec.session = "s" + std::to_string(i);
    request.key = "web-1/" + exec.session;
    created = other.supervisor.launch(request, exec);
    if (created.fault == 0) // stopped after that, its supervisor kills it
      (void)other.supervisor.ask(shim::signal{0, request.key, SIGKILL});
  }
  CHECK(created.os_errno == ETIMEDOUT);
  CHECK(other.supervisor.records[request.key].state
        == shim::process_state::failed);

  // Whoever waits does not keep others from looking and from killing.
  CHECK(box.status("web") == "running");
  const auto done = by_oci.get();
  CHECK_FALSE(done.timed_out);
  CHECK(done.exit_code == 255);
  CHECK_THAT(done.err, Contains("ETIMEDOUT"));
  CHECK_THAT(box.call({"ps", "web", "-o", "pid,args"}).out, !Contains("exec"));
  check_ends_clean(box);
}

TEST_CASE("a container that is killed takes the session on its way with it",
          "[rule-4]") {
  oci_box box;
  const attacker hostile{box.fs};
  start(box, hostile, stopping);
  auto session = std::async(std::launch::async, [&] {
    return box.call({"exec", "web", "/bin/sleep", "1000"});
  });
  // Its process is there, and perhaps stopped already.
  REQUIRE(test::eventually([&] {
    return nlohmann::json::parse(
             box.call({"ps", "--format", "json", "web"}).out)
             .size()
           > 1;
  }));
  CHECK(box.call({"delete", "--force", "web"}).exit_code == 0);
  const auto done = session.get();
  CHECK_FALSE(done.timed_out);
  CHECK(done.exit_code != 0);
  CHECK(box.leftovers() == words{});
  CHECK(test::leftovers(box.root(), "/no such cgroup") == words{});
}

TEST_CASE("a session among a container's traps gets its result or an error",
          "[rule-4]") {
  struct row {
    const char* trap; ///< Laid by the container, with CAP_SYS_ADMIN.
    words session;
    int code;
    const char* says;
  };
  const auto plain = words{"exec", "web", "/bin/busybox", "echo", "0"};
  const auto shell = words{"exec", "web", "sh", "-c", "echo 0"};
  const auto terminal = words{"exec",         "--tty", "web",
                              "/bin/busybox", "echo",  "0"};
  const auto x = GENERATE_COPY(values<row>({
    {"rm /etc/passwd; busybox mkfifo /etc/passwd", plain, 0, "0\n"},
    {"rm /etc/passwd; mkdir /etc/passwd", plain, 0, "0\n"},
    {"busybox ln -sf passwd /etc/passwd", plain, 0, "0\n"},
    {"busybox ln -sf /proc/1/mem /etc/passwd", plain, 0, "0\n"},
    {"busybox ln -sf /dev/zero /etc/passwd", plain, 0, "0\n"},
    {"rm /bin/sh; busybox mkfifo /bin/sh", shell, 255, "permission denied"},
    {"rm /bin/sh; mkdir /bin/sh", shell, 255, "permission denied"},
    {"busybox ln -sf sh /bin/sh", shell, 255, "executable file not found"},
    {"busybox ln -sf /proc/self/fd/3 /bin/sh", shell, 255, "sh"},
    {"rm /bin/sh; busybox mkfifo /bin/sh; chmod 755 /bin/sh", shell, 255,
     "permission denied"},
    {"mount -t tmpfs x /proc", plain, 0, "0\n"},
    {"mount -t tmpfs x /proc; busybox mkfifo /proc/self", plain, 0, "0\n"},
    {"mount -t tmpfs x /proc; busybox ln -s / /proc/self", plain, 0, "0\n"},
    {"mount -t tmpfs x /dev; busybox mkfifo /dev/null", plain, 0, "0\n"},
    {"mount -t tmpfs x /dev/pts", terminal, 255, "devpts"},
    {"mount -t tmpfs x /dev/pts; busybox mkfifo /dev/pts/ptmx", terminal, 255,
     "devpts"},
    {"mount -t tmpfs x /dev; busybox ln -s /proc/1/fd /dev/pts", terminal, 255,
     "/dev/pts"},
    {"busybox chroot / busybox umount -l /dev/pts", terminal, 255, "/dev/pts"},
  }));
  CAPTURE(x.trap);
  oci_box box;
  REQUIRE(has_all_capabilities(box.spec));
  run_box(box, std::string{x.trap}
                 + " && echo > /data/laid; exec busybox sleep 1000");
  REQUIRE(test::eventually([&] {
    return ::access((box.fs.path() + "/data/laid").c_str(), F_OK) == 0;
  }));
  const auto done = box.call(x.session);
  CAPTURE(done.out, done.err);
  CHECK_FALSE(done.timed_out);
  CHECK(done.exit_code == x.code);
  CHECK_THAT(x.code == 0 ? done.out : done.err, Contains(x.says));
  check_ends_clean(box);
}

TEST_CASE("a session finds no place in a container that forks to its limit",
          "[rule-4]") {
  oci_box box;
  auto& resources = box.spec.linux_.resources;
  if (!resources)
    resources.emplace();
  resources->pids_limit = 16;
  run_box(box, "i=0; while [ $i -lt 15 ]; do sleep 1000 & i=$((i+1)); done; "
               "echo > /data/full; wait");
  REQUIRE(test::eventually([&] {
    return ::access((box.fs.path() + "/data/full").c_str(), F_OK) == 0;
  }));
  const auto done = box.call({"exec", "web", "/bin/true"});
  CAPTURE(done.err);
  CHECK_FALSE(done.timed_out);
  // In cgroup v1 a process enters, and only its children are refused.
  if (done.exit_code != 0)
    CHECK_THAT(done.err, Contains("EAGAIN"));
  check_ends_clean(box);
}

} // namespace troupe::attack_fighting_test
