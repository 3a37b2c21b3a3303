// The shim does not die. If somebody kills it, nobody is left in doubt.

#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/proc_info.hpp"
#include "tests/support/running_host.hpp"
#include "tests/support/shim_client.hpp"
#include "tests/support/skipped.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <string>
#include <unistd.h>
#include <vector>

namespace troupe::shim_death_test {

using nlohmann::json;
using test::nothing;

namespace {

struct fixture : test::running_host {
  json info() {
    const auto said = host.troupe({"info", "--format", "json"});
    return said.exit_code == 0 ? json::parse(said.out) : json::object();
  }

  std::vector<std::string> events_of(const std::string& id) {
    const auto all = host.troupe(
      {"events", "--container", id, "--format", "json"});
    std::vector<std::string> out;
    std::istringstream lines{all.out};
    for (std::string line; std::getline(lines, line);)
      out.push_back(json::parse(line)["type"]);
    return out;
  }

  /// A container that ends with 7 once `let_end`.
  void run_ending() {
    REQUIRE(run_detached("ends", "while [ ! -e /tmp/go ]; do sleep 0.02; done; "
                                 "exit 7")
              .exit_code
            == 0);
  }

  void let_end() const {
    root.write("tmp/go", "");
  }

  /// The same process, once more from its beginning.
  void await_other_shim(int than) {
    REQUIRE(test::eventually([&] {
      const auto now = info();
      return now.contains("shim_pid") && now["shim_pid"] != than;
    }));
  }

  /// Nothing of its end is lost.
  void check_ended() {
    const auto ended = host.inspect("ends");
    CHECK(ended["status"] == "stopped");
    CHECK(ended["exit_code"] == 7);
    CHECK_THAT(ended["error"].get<std::string>(),
               Catch::StartsWith("lost: perhaps the last"));
    CHECK(host.troupe({"rm", "ends"}).exit_code == 0);
    CHECK(host.finish() == nothing);
  }
};

/// Linux 6.15.
bool kernel_tells_ends() {
  const auto child = ::fork();
  if (child == 0)
    ::_exit(5);
  const auto pidfd = sys::open_pidfd(child).value();
  REQUIRE(sys::wait_for_exit(pidfd.get()));
  return sys::end_of(pidfd.get(), {}) == sys::exit_status{.code = 5};
}

bool is_zombie(int pid) {
  const auto found = sys::read_process(pid);
  return found && found->state == "Z";
}

} // namespace

TEST_CASE_METHOD(fixture, "a shim that dies is replaced, and its losses told",
                 "[survive][shim]") {
  REQUIRE(run_detached("lives", "sleep 1000").exit_code == 0);
  REQUIRE(run_detached("over", "echo last words; exit 4").exit_code == 0);
  REQUIRE(host.troupe({"wait", "over"}).out == "4\n");
  const auto before = info();
  const auto init = host.inspect("lives")["pid"].get<int>();

  REQUIRE(::kill(before["shim_pid"].get<int>(), SIGKILL) == 0);

  await_other_shim(before["shim_pid"].get<int>());
  CHECK(info()["pid"] == before["pid"]);
  const auto lost = host.inspect("lives");
  CHECK(lost["status"] == "stopped");
  CHECK(lost["exit_code"] == 255);
  CHECK_THAT(lost["error"].get<std::string>(), Catch::StartsWith("lost: "));
  CHECK(test::eventually([&] { return ::kill(init, 0) != 0; }));
  CHECK(host.inspect("over")["exit_code"] == 4);
  CHECK(host.troupe({"logs", "over"}).out == "last words\n");
  const std::vector<std::string> whole{"created", "started", "exited",
                                       "stopped"};
  CHECK(events_of("lives") == whole);
  CHECK(events_of("over") == whole);
  CHECK_THAT(host.log(), Catch::Contains("the shim is gone")
                           && Catch::Contains("starting again"));

  CHECK(host
          .troupe({"run", "--rm", "--rootfs", root.path(), "--", "/bin/sh",
                   "-c", "exit 6"})
          .exit_code
        == 6);
  CHECK(host.troupe({"rm", "lives", "over"}).exit_code == 0);
  REQUIRE(host.terminate_supervisor() == 0);
  host.start(); // and hears of the new shim
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "what only the kernel knows of an end counts",
                 "[survive][shim]") {
  if (!kernel_tells_ends())
    return test::skipped("this kernel has no PIDFD_INFO_EXIT (Linux 6.15)");
  run_ending();
  const auto shim = info()["shim_pid"].get<int>();
  const auto init = host.inspect("ends")["pid"].get<int>();
  REQUIRE(::kill(shim, SIGSTOP) == 0); // It does not hear of the end.
  let_end();
  REQUIRE(test::eventually([&] { return is_zombie(init); }));

  REQUIRE(::kill(shim, SIGKILL) == 0);

  await_other_shim(shim);
  check_ended();
}

TEST_CASE_METHOD(fixture, "what the shim had written down of an end counts",
                 "[survive][shim]") {
  run_ending();
  const auto shim = info()["shim_pid"].get<int>();
  const auto file = host.directory() + "/run/containers/ends/exit";
  host.kill_supervisor();
  let_end();
  REQUIRE(test::eventually([&] { return std::filesystem::exists(file); }));
  REQUIRE(::kill(shim, SIGKILL) == 0);
  REQUIRE(test::eventually([&] { return ::kill(shim, 0) != 0; }));

  host.start();

  check_ended();
}

} // namespace troupe::shim_death_test
