// One shim program takes another's place: nothing that it holds is lost.

#include "runtime/plan/cbor.hpp"
#include "runtime/shim/protocol/start.hpp"
#include "tests/support/attached.hpp"
#include "tests/support/running_host.hpp"
#include "tests/support/shim_box.hpp"

#include <map>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace troupe::shim_upgrade_test {

using namespace troupe::test;
using shim::process_state;

namespace {

std::string program(const std::string& name) {
  return std::string{TROUPE_BIN_DIR} + '/' + name;
}

shim::reply upgrade(shim_client& by, const std::string& path,
                    std::uint32_t protocol = shim::protocol_version) {
  const auto copy = sys::sealed_copy("troupe-shim", path).value();
  return by.ask(shim::upgrade{0, protocol}, {copy.get()});
}

/// Which program a process runs: each memfd is another.
ino_t program_of(pid_t pid) {
  struct stat info {};
  REQUIRE(::stat(("/proc/" + std::to_string(pid) + "/exe").c_str(), &info)
          == 0);
  return info.st_ino;
}

std::size_t descriptors_of(pid_t pid) {
  std::size_t out = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator{
         "/proc/" + std::to_string(pid) + "/fd"})
    ++out;
  return out;
}

constexpr auto echoes = "while read x; do echo got $x; done; exit 5";

} // namespace

TEST_CASE("an upgraded shim goes on with all that it held", "[shim][upgrade]") {
  shim_box box;
  auto& supervisor = box.supervisor;
  auto talker = launch_of("talker", box.process.log_path());
  talker.open_stdin = true;
  talker.replay = 4096;
  box.begin(talker, shell_plan(box.fs, echoes));
  attached client{supervisor, "talker", true};
  client.send("one\n");
  while (client.out != "got one\n")
    REQUIRE(client.receive());
  REQUIRE(
    supervisor.launch(launch_of("waits"), shell_plan(box.fs, "exit 6")).fault
    == 0);
  box.run(launch_of("over"), shell_plan(box.fs, "exit 7"));
  const auto old_program = program_of(box.process.pid());

  const auto upgraded = upgrade(supervisor, program("troupe-shim"));

  INFO(upgraded.what);
  REQUIRE(upgraded.fault == 0);
  CHECK(program_of(box.process.pid()) != old_program);
  CHECK(supervisor.hello->pid == box.process.pid());
  CHECK(supervisor.records["over"].exit_code == 7);
  client.send("two\n");
  attached late{supervisor, [] {
                  auto how = attached::request_of("talker", false);
                  how.replay = 4096;
                  return how;
                }()};
  client.close_stdin();
  client.receive_all();
  late.receive_all();
  CHECK(client.out == "got one\ngot two\n");
  CHECK(late.out.starts_with("got one\n"));
  CHECK(client.status == R"({"exit_code":5,"signal":0})");
  const auto ended = supervisor.wait_for("talker", process_state::exited);
  CHECK(ended.exit_code == 5);
  CHECK(ended.log.bytes_logged == 16);
  CHECK(ended.log.bytes_in == 16);
  CHECK(supervisor.start("waits").fault == 0);
  CHECK(supervisor.wait_for("waits", process_state::exited).exit_code == 6);
  CHECK(box.run(launch_of("new"), shell_plan(box.fs, "exit 8")).exit_code == 8);
}

TEST_CASE("an upgrade in the middle of a launch", "[shim][upgrade]") {
  shim_box box;
  auto& supervisor = box.supervisor;
  auto plan = shell_plan(box.fs, "echo done; exit 4");
  plan::hook slow;
  slow.path = "/bin/busybox";
  slow.args = {"sleep", "0.3"};
  plan.hooks.create_runtime.push_back(slow);
  const auto launching = supervisor.send_launch(
    launch_of("slow", box.process.log_path()), plan);
  supervisor.wait_for("slow", process_state::launching);

  CHECK(upgrade(supervisor, program("troupe-shim")).fault == 0);

  CHECK(supervisor.reply_to(launching).fault == 0);
  CHECK(supervisor.start("slow").fault == 0);
  const auto ended = supervisor.wait_for("slow", process_state::exited);
  CHECK(ended.exit_code == 4);
  CHECK(file_content(box.process.log_path()).ends_with(" stdout F done\n"));
}

TEST_CASE("a program that cannot take over is refused, and nothing changes",
          "[shim][upgrade]") {
  shim_box box;
  auto& supervisor = box.supervisor;
  auto talker = launch_of("talker");
  talker.open_stdin = true;
  box.begin(talker, shell_plan(box.fs, echoes));
  attached client{supervisor, "talker", true};
  const auto old_program = program_of(box.process.pid());
  // Spares come and go: only what stays counts.
  const auto descriptors = descriptors_of(box.process.pid());

  const auto no_shim = upgrade(supervisor, "/bin/false");
  CHECK(no_shim.fault == static_cast<std::uint8_t>(fault::wrong_state));
  CHECK_THAT(no_shim.what,
             Catch::Contains("cannot take over: it ended with exit code 1"));
  const auto no_program = upgrade(supervisor, "/etc/passwd");
  CHECK_THAT(no_program.what, Catch::Contains("ENOEXEC"));
  const auto other = upgrade(supervisor, program("troupe-shim-other"));
  CHECK_THAT(other.what,
             Catch::Contains("speaks protocol 99, the supervisor speaks "
                             + std::to_string(shim::protocol_version)));
  const auto open = sys::plain_memfd("open").value();
  const auto unsealed = supervisor.ask(shim::upgrade{}, {open.get()});
  CHECK_THAT(unsealed.what, Catch::Contains("not sealed"));
  CHECK_THAT(supervisor.ask(shim::upgrade{}).what,
             Catch::Contains("without its program"));

  CHECK(program_of(box.process.pid()) == old_program);
  CHECK(descriptors_of(box.process.pid()) <= descriptors + 4);
  client.send("still\n");
  client.close_stdin();
  client.receive_all();
  CHECK(client.out == "got still\n");
  CHECK(supervisor.wait_for("talker", process_state::exited).exit_code == 5);
}

TEST_CASE("what another version hands over is refused in words",
          "[shim][upgrade]") {
  plan::cbor::writer to;
  to.array(3);
  to.number(77);
  to.number(shim::protocol_version);
  to.text("9.9.9");
  const auto values = sys::sealed_memfd("handover", std::move(to).take());
  const auto memfd = std::to_string(::dup(values->get()));

  const auto said = run({program("troupe-shim"), "--listen",
                         "/nowhere/shim.sock", "--take-over", memfd,
                         "--rehearse", "--ready-fd", "1"});

  CHECK(said.exit_code == 1);
  CHECK_THAT(said.out, Catch::Contains("takes over state version")
                         && Catch::Contains("the running 9.9.9 hands over "
                                            "version 77"));
}

TEST_CASE("twenty upgrades under load lose no exit code and no byte",
          "[shim][upgrade]") {
  shim_box box;
  auto& supervisor = box.supervisor;
  constexpr auto count = 60;
  std::map<std::string, std::uint64_t> launching;
  const auto name = [](int i) { return "c" + std::to_string(i); };
  for (auto i = 0; i < count; ++i) {
    const auto script = "for n in 1 2 3; do echo line $n; sleep 0.0"
                        + std::to_string(i % 7) + "; done; exit "
                        + std::to_string(i % 100);
    launching[name(i)] = supervisor.send_launch(
      launch_of(name(i), box.process.log_path(name(i))),
      shell_plan(box.fs, script));
    if (i % 3 == 2) {
      const auto done = upgrade(supervisor, program("troupe-shim"));
      INFO(done.what);
      REQUIRE(done.fault == 0);
    }
    if (i >= 5)
      supervisor.send(shim::start{0, name(i - 5)});
  }
  for (auto i = 0; i < count; ++i) {
    INFO(name(i));
    REQUIRE(supervisor.reply_to(launching[name(i)]).fault == 0);
    if (supervisor.records[name(i)].state == process_state::created)
      supervisor.send(shim::start{0, name(i)});
  }
  for (auto i = 0; i < count; ++i) {
    const auto& record = supervisor.wait_for(name(i), process_state::exited);
    INFO(name(i));
    CHECK(record.exit_code == i % 100);
    CHECK(record.log.bytes_in == 21);
    CHECK(record.log.bytes_logged == 21);
    CHECK(supervisor.ask(shim::forget{0, name(i)}).fault == 0);
  }
}

// -- through trouped ----------------------------------------------------------

using fixture = host_box;

TEST_CASE_METHOD(fixture, "troupe shim upgrade", "[upgrade][cli]") {
  host.start();
  REQUIRE(run_detached("web", "echo up; while [ ! -e /tmp/go ]; do sleep 0.02; "
                              "done; echo on; exit 3")
            .exit_code
          == 0);
  const auto watcher = host.troupe_background(
    {"attach", "--replay", "1k", "web"});
  REQUIRE(watcher->wait_for_output("up"));
  const auto shim = host.troupe_json({"info", "--format", "json"})["shim_pid"];

  const auto refused = host.troupe(
    {"shim", "upgrade", "--program", program("troupe-shim-other")});
  CHECK(refused.exit_code == 125);
  CHECK_THAT(refused.err, Catch::Contains("cannot take over")
                            && Catch::Contains("speaks protocol 99"));
  CHECK(host.troupe({"shim", "upgrade", "--program", "/nowhere"}).exit_code
        == 125);
  const auto fifo = host.directory() + "/fifo"; // which nobody writes to
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_THAT(host.troupe({"shim", "upgrade", "--program", fifo}).err,
             Catch::Contains("not a regular file"));
  const auto did = host.troupe({"shim", "upgrade"});

  INFO(did.err);
  CHECK(did.exit_code == 0);
  CHECK(did.out
        == "troupe-shim " TROUPE_VERSION " (pid " + shim.dump() + ")\n");
  CHECK(host.troupe({"exec", "web", "touch", "/tmp/go"}).exit_code == 0);
  CHECK(watcher->wait() == 3);
  CHECK(watcher->output() == "up\non\n");
  CHECK(host.troupe({"logs", "web"}).out == "up\non\n");
  CHECK(host.troupe({"wait", "web"}).out == "3\n");
  CHECK(host.troupe({"rm", "web"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "trouped upgrades a shim of another protocol",
                 "[upgrade][restart]") {
  // As a newer trouped finds an older shim.
  const auto path = host.directory() + "/run/shim.sock";
  std::filesystem::create_directory(host.directory() + "/run");
  REQUIRE(shim::start_shim(program("troupe-shim-other"), path, 1));
  host.start();
  REQUIRE(run_detached("web", "exit 3").exit_code == 0);
  CHECK(host.troupe({"wait", "web"}).out == "3\n");
  CHECK(host.troupe({"rm", "web"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "trouped and a shim that cannot agree",
                 "[upgrade][restart]") {
  const auto path = host.directory() + "/run/shim.sock";
  std::filesystem::create_directory(host.directory() + "/run");
  REQUIRE(shim::start_shim(program("troupe-shim-other"), path, 1));
  // An older trouped finds a newer shim, and has only one as new.
  const auto refused = run(
    {program("trouped"), "--root", host.directory() + "/run", "--state",
     host.directory() + "/state", "--cgroup-parent", host.cgroup_parent(),
     "--shim", program("troupe-shim-other")});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err,
             Catch::Contains("speaks protocol 99, this trouped speaks "
                             + std::to_string(shim::protocol_version))
               && Catch::Contains("nothing has changed"));
  host.start();
  CHECK(host.finish() == nothing);
}

} // namespace troupe::shim_upgrade_test
