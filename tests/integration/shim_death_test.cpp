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

  // The same process, once more from its beginning.
  REQUIRE(test::eventually([&] {
    const auto now = info();
    return now.contains("shim_pid") && now["shim_pid"] != before["shim_pid"];
  }));
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
  REQUIRE(run_detached("ends", "while [ ! -e /tmp/go ]; do sleep 0.02; done; "
                               "exit 7")
            .exit_code
          == 0);
  const auto before = info();
  const auto shim = before["shim_pid"].get<int>();
  const auto init = host.inspect("ends")["pid"].get<int>();
  REQUIRE(::kill(shim, SIGSTOP) == 0); // It does not hear of the end.
  root.write("tmp/go", "");
  REQUIRE(test::eventually([&] { return is_zombie(init); }));

  REQUIRE(::kill(shim, SIGKILL) == 0);

  REQUIRE(test::eventually([&] {
    const auto now = info();
    return now.contains("shim_pid") && now["shim_pid"] != shim;
  }));
  const auto ended = host.inspect("ends");
  CHECK(ended["status"] == "stopped");
  CHECK(ended["exit_code"] == 7);
  CHECK(ended["error"].get<std::string>().empty());
  CHECK(host.troupe({"rm", "ends"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "what the shim had written down of an end counts",
                 "[survive][shim]") {
  REQUIRE(run_detached("ends", "while [ ! -e /tmp/go ]; do sleep 0.02; done; "
                               "exit 7")
            .exit_code
          == 0);
  const auto shim = info()["shim_pid"].get<int>();
  const auto file = host.directory() + "/run/containers/ends/exit";
  host.kill_supervisor();
  root.write("tmp/go", "");
  REQUIRE(test::eventually([&] { return std::filesystem::exists(file); }));
  REQUIRE(::kill(shim, SIGKILL) == 0);
  REQUIRE(test::eventually([&] { return ::kill(shim, 0) != 0; }));

  host.start();

  const auto ended = host.inspect("ends");
  CHECK(ended["status"] == "stopped");
  CHECK(ended["exit_code"] == 7);
  CHECK(ended["error"].get<std::string>().empty());
  CHECK(host.troupe({"rm", "ends"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

} // namespace troupe::shim_death_test
