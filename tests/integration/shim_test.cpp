#include "tests/support/shim_box.hpp"

#include <cerrno>

namespace troupe::shim_test {

using namespace troupe::test;
using shim::process_state;

namespace {

fault code_of(const shim::reply& x) {
  return static_cast<fault>(x.fault);
}

} // namespace

TEST_CASE("the shim greets with its version and says when it is synced",
          "[shim]") {
  shim_box box;

  box.supervisor.wait_until_synced();

  REQUIRE(box.supervisor.hello);
  CHECK(box.supervisor.hello->protocol == shim::protocol_version);
  CHECK(box.supervisor.hello->version == TROUPE_VERSION);
  CHECK(box.supervisor.hello->pid == box.process.pid());
  CHECK(box.supervisor.records.empty());
}

TEST_CASE("a container is created, started, and its exit code recorded",
          "[shim]") {
  shim_box box;
  const auto plan = shell_plan(box.fs, "exit 42");

  REQUIRE(box.supervisor.launch(launch_of("web-1"), plan).fault == 0);
  const auto created = box.supervisor.records.at("web-1");
  REQUIRE(box.supervisor.start("web-1").fault == 0);
  const auto exited = box.supervisor.wait_for("web-1", process_state::exited);

  CHECK(created.state == process_state::created);
  CHECK(created.pid > 0);
  CHECK_FALSE(created.is_exec);
  CHECK(created.created > 0);
  CHECK(exited.pid == created.pid);
  CHECK(exited.exit_code == 42);
  CHECK(exited.exit_signal == 0);
  CHECK_FALSE(exited.start_failed);
  CHECK(exited.created <= exited.started);
  CHECK(exited.started <= exited.finished);
}

TEST_CASE("a signal ends a container and is recorded", "[shim]") {
  shim_box box;
  REQUIRE(
    box.supervisor
      .launch(launch_of("web-1"), quick_plan(box.fs, {"/bin/sleep", "1000"}))
      .fault
    == 0);
  REQUIRE(box.supervisor.start("web-1").fault == 0);

  const auto sent = box.supervisor.ask(shim::signal{0, "web-1", SIGKILL});
  const auto exited = box.supervisor.wait_for("web-1", process_state::exited);
  const auto too_late = box.supervisor.ask(shim::signal{0, "web-1", SIGKILL});

  CHECK(sent.fault == 0);
  CHECK(exited.exit_signal == SIGKILL);
  CHECK(code_of(too_late) == fault::not_found);
}

TEST_CASE("a created container can be killed before its start", "[shim]") {
  shim_box box;
  REQUIRE(
    box.supervisor.launch(launch_of("web-1"), shell_plan(box.fs, "true")).fault
    == 0);

  REQUIRE(box.supervisor.ask(shim::signal{0, "web-1", SIGKILL}).fault == 0);
  const auto exited = box.supervisor.wait_for("web-1", process_state::exited);
  const auto started = box.supervisor.start("web-1");

  CHECK(exited.exit_signal == SIGKILL);
  CHECK_FALSE(exited.start_failed);
  CHECK(exited.started == 0);
  CHECK(code_of(started) == fault::wrong_state);
}

TEST_CASE("a start that fails says why, and its record has the shell's code",
          "[shim]") {
  struct row {
    const char* content;
    fault code;
    int os_errno;
    int exit_code;
  };
  const auto wanted = GENERATE(
    row{"#!/absent/interpreter", fault::command_not_found, ENOENT, 127},
    row{"not a program", fault::command_not_executable, ENOEXEC, 126});
  shim_box box;
  box.fs.write("data/program", wanted.content);
  std::filesystem::permissions(box.fs.root() / "data/program",
                               std::filesystem::perms{0755});
  REQUIRE(box.supervisor
            .launch(launch_of("web-1"), quick_plan(box.fs, {"/data/program"}))
            .fault
          == 0);

  const auto started = box.supervisor.start("web-1");
  const auto exited = box.supervisor.wait_for("web-1", process_state::exited);

  CHECK(code_of(started) == wanted.code);
  CHECK(started.has_step);
  CHECK(started.step.phase == static_cast<std::uint8_t>(plan::phase::exec));
  CHECK(started.step.os_errno == wanted.os_errno);
  CHECK(exited.start_failed);
  CHECK(exited.exit_code == wanted.exit_code);
  CHECK(exited.failure == started.step);
}

TEST_CASE("a command that does not exist fails the launch", "[shim]") {
  shim_box box;

  const auto launched = box.supervisor.launch(
    launch_of("web-1"), quick_plan(box.fs, {"/bin/absent"}));

  CHECK(code_of(launched) == fault::command_not_found);
  CHECK(box.supervisor.records["web-1"].state == process_state::failed);
}

TEST_CASE("a launch that fails says at which step and leaves only its record",
          "[shim]") {
  shim_box box;
  auto plan = shell_plan(box.fs, "true");
  plan.rootfs.mounts.push_back(bind("/absent/source", "/data"));

  const auto launched = box.supervisor.launch(launch_of("web-1"), plan);

  REQUIRE(launched.fault != 0);
  CHECK(launched.has_step);
  CHECK(launched.step.phase == static_cast<std::uint8_t>(plan::phase::mount));
  CHECK(launched.step.index == plan.rootfs.mounts.size() - 1);
  CHECK(launched.step.os_errno == ENOENT);
  const auto failed = box.supervisor.records.at("web-1");
  CHECK(failed.state == process_state::failed);
  CHECK(failed.failure == launched.step);
  CHECK(code_of(box.supervisor.start("web-1")) == fault::wrong_state);
  CHECK(box.supervisor.ask(shim::forget{0, "web-1"}).fault == 0);
}

TEST_CASE("a plan that cannot be decoded fails the launch in phase prepare",
          "[shim]") {
  shim_box box;
  const std::vector<std::uint8_t> nonsense(100, 0xff);
  const auto memfd = sys::sealed_memfd("plan", nonsense).value();

  const auto launched = box.supervisor.ask(launch_of("web-1"), {memfd.get()});

  CHECK(launched.fault != 0);
  CHECK(launched.step.phase == static_cast<std::uint8_t>(plan::phase::prepare));
  CHECK(launched.step.subject.find("decode plan") != std::string::npos);
}

TEST_CASE("a launcher that dies fails its launch", "[shim]") {
  shim_box box;
  auto plan = shell_plan(box.fs, "true");
  // The hook reads to the end of the test, and not beyond it.
  const auto fifo = box.process.log_path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const sys::unique_fd writer{::open(fifo.c_str(), O_RDWR | O_CLOEXEC)};
  plan.hooks.prestart.push_back({"/bin/cat", {"cat", fifo}, {}, 0, ""});
  const auto seq = box.supervisor.send_launch(launch_of("web-1"), plan);
  // Its init is there, so its launcher is in the hook, or about to be.
  while (!box.supervisor.records.contains("web-1")
         || box.supervisor.records["web-1"].pid == 0)
    REQUIRE(box.supervisor.receive());

  REQUIRE(box.supervisor.ask(shim::signal{0, "web-1", SIGKILL}).fault == 0);
  const auto launched = box.supervisor.reply_to(seq);

  CHECK(launched.fault != 0);
  CHECK(launched.step.subject.find("SIGKILL") != std::string::npos);
  CHECK(box.supervisor.records["web-1"].state == process_state::failed);
}

TEST_CASE("an exec session runs inside its container", "[shim]") {
  shim_box box;
  const auto plan = quick_plan(box.fs, {"/bin/sleep", "1000"});
  REQUIRE(box.supervisor.launch(launch_of("web-1"), plan).fault == 0);
  REQUIRE(box.supervisor.start("web-1").fault == 0);
  plan::exec_plan exec;
  exec.id = plan.id;
  exec.session = "s1";
  exec.namespaces = plan.namespaces.clone_flags;
  exec.process = plan.process;
  exec.process.args = {"/bin/sh", "-c", "hostname; exit 7"};
  auto request = launch_of("web-1/s1", box.process.log_path());
  request.target = "web-1";

  const auto created = box.supervisor.launch(request, exec);
  INFO(created.what);
  REQUIRE(created.fault == 0);
  REQUIRE(box.supervisor.start("web-1/s1").fault == 0);
  const auto exited = box.supervisor.wait_for("web-1/s1",
                                              process_state::exited);

  CHECK(exited.is_exec);
  CHECK(exited.exit_code == 7);
  CHECK(file_content(box.process.log_path()).ends_with(" stdout F box\n"));
  CHECK(box.supervisor.records["web-1"].state == process_state::running);
}

TEST_CASE("an exec session needs a running container", "[shim]") {
  shim_box box;
  box.run(launch_of("web-1"), shell_plan(box.fs, "true"));
  auto in_dead = launch_of("web-1/s1");
  in_dead.target = "web-1";
  auto in_absent = launch_of("web-2/s1");
  in_absent.target = "web-2";

  CHECK(code_of(box.supervisor.launch(in_dead, plan::exec_plan{}))
        == fault::wrong_state);
  CHECK(code_of(box.supervisor.launch(in_absent, plan::exec_plan{}))
        == fault::not_found);
}

TEST_CASE("what the state of a process forbids is refused", "[shim]") {
  shim_box box;
  const auto plan = quick_plan(box.fs, {"/bin/sleep", "1000"});
  auto& supervisor = box.supervisor;
  const auto memfd = sys::sealed_memfd("plan", encode(plan)).value();
  REQUIRE(supervisor.launch(launch_of("web-1"), plan).fault == 0);

  CHECK(code_of(supervisor.launch(launch_of("web-1"), plan))
        == fault::already_exists);
  CHECK(code_of(supervisor.ask(shim::forget{0, "web-1"}))
        == fault::wrong_state);
  CHECK(code_of(supervisor.ask(shim::teardown{0, "web-1"}, {memfd.get()}))
        == fault::wrong_state);
  CHECK(code_of(supervisor.ask(shim::poststart{0, "web-1"}, {memfd.get()}))
        == fault::wrong_state);
  CHECK(code_of(supervisor.ask(shim::quit{})) == fault::wrong_state);
  CHECK(code_of(supervisor.start("web-2")) == fault::not_found);
  CHECK(code_of(supervisor.ask(launch_of("web-3"))) == fault::invalid_config);
}

TEST_CASE("hooks after the start and after the end are run", "[shim]") {
  shim_box box;
  auto plan = shell_plan(box.fs, "true");
  const auto hook = [&](const std::string& script) {
    return plan::hook{"/bin/sh", {"sh", "-c", script}, {"PATH=/bin"}, 0, ""};
  };
  const auto trace = box.process.log_path("trace");
  plan.hooks.poststart = {hook("echo started >> " + trace)};
  plan.hooks.poststop = {hook("exit 3"), hook("echo stopped >> " + trace)};
  plan.process.args = {"/bin/sleep", "1000"};
  const auto memfd = sys::sealed_memfd("plan", encode(plan)).value();
  auto& supervisor = box.supervisor;
  REQUIRE(supervisor.launch(launch_of("web-1"), plan).fault == 0);
  REQUIRE(supervisor.start("web-1").fault == 0);

  const auto started = supervisor.ask(shim::poststart{0, "web-1"},
                                      {memfd.get()});
  REQUIRE(supervisor.ask(shim::signal{0, "web-1", SIGKILL}).fault == 0);
  supervisor.wait_for("web-1", process_state::exited);
  const auto stopped = supervisor.ask(shim::teardown{0, "web-1"},
                                      {memfd.get()});

  CHECK(started.fault == 0);
  CHECK(stopped.fault == 0);
  CHECK(file_content(trace) == "started\nstopped\n");
  REQUIRE(supervisor.warnings.size() == 1);
  CHECK(supervisor.warnings[0].key == "web-1");
  CHECK(supervisor.warnings[0].step.phase
        == static_cast<std::uint8_t>(plan::phase::hook_poststop));
}

TEST_CASE("a failing poststart hook is the reply", "[shim]") {
  shim_box box;
  auto plan = quick_plan(box.fs, {"/bin/sleep", "1000"});
  plan.hooks.poststart = {{"/bin/false", {"false"}, {}, 0, ""}};
  const auto memfd = sys::sealed_memfd("plan", encode(plan)).value();
  REQUIRE(box.supervisor.launch(launch_of("web-1"), plan).fault == 0);
  REQUIRE(box.supervisor.start("web-1").fault == 0);

  const auto started = box.supervisor.ask(shim::poststart{0, "web-1"},
                                          {memfd.get()});

  CHECK(started.fault != 0);
  CHECK(started.has_step);
  CHECK(started.step.phase
        == static_cast<std::uint8_t>(plan::phase::hook_poststart));
}

TEST_CASE("sixty-four containers are launched at once, each with its own end",
          "[shim]") {
  constexpr auto count = 64;
  shim_box box;
  const auto key = [](int i) { return "web-" + std::to_string(i); };
  for (auto i = 0; i < count; ++i)
    box.supervisor.send_launch(launch_of(key(i)),
                               shell_plan(box.fs, "exit " + std::to_string(i)));
  for (auto i = 0; i < count; ++i) {
    box.supervisor.wait_for(key(i), process_state::created);
    box.supervisor.send(shim::start{0, key(i)});
  }

  for (auto i = 0; i < count; ++i)
    CHECK(box.supervisor.wait_for(key(i), process_state::exited).exit_code
          == i);
}

TEST_CASE("orphans of a container that shares the host's pids are reaped",
          "[shim]") {
  shim_box box;
  auto plan = shell_plan(box.fs, "(/bin/sh -c 'echo $$' &); exec sleep 1000");
  plan.namespaces.clone_flags &= ~std::uint64_t{CLONE_NEWPID};
  std::erase_if(plan.rootfs.mounts,
                [](const auto& each) { return each.type == "proc"; });
  const auto log = box.process.log_path();
  REQUIRE(box.supervisor.launch(launch_of("web-1", log), plan).fault == 0);
  REQUIRE(box.supervisor.start("web-1").fault == 0);
  const auto said_pid = [&] { return file_content(log).ends_with('\n'); };
  REQUIRE(eventually(said_pid));
  const auto line = file_content(log);
  const auto orphan = line.substr(line.rfind(' ') + 1);

  CHECK(eventually([&] {
    return !std::filesystem::exists("/proc/"
                                    + orphan.substr(0, orphan.size() - 1));
  }));
  CHECK(box.supervisor.records["web-1"].state == process_state::running);
}

} // namespace troupe::shim_test
