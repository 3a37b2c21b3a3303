#include "runtime/shim/protocol/start.hpp"
#include "tests/support/attached.hpp"
#include "tests/support/shim_box.hpp"

#include <random>

namespace troupe::shim_survival_test {

using namespace troupe::test;
using shim::process_state;

TEST_CASE("a new supervisor gets every record, with the exits it missed",
          "[shim]") {
  shim_box box;
  auto request = launch_of("web-1", box.process.log_path());
  request.open_stdin = true;
  box.begin(request, shell_plan(box.fs, "cat; exit 9"));
  box.begin(launch_of("web-2"), quick_plan(box.fs, {"/bin/sleep", "1000"}));
  attached client{box.supervisor, "web-1", true};
  const auto before = box.supervisor.records;
  box.supervisor.drop();

  client.send("while nobody looks\n");
  client.close_stdin();
  client.receive_all();
  shim_client next{box.process.socket_path()};
  next.wait_until_synced();

  REQUIRE(next.records.size() == 2);
  CHECK(next.records["web-1"].state == process_state::exited);
  CHECK(next.records["web-1"].exit_code == 9);
  CHECK(next.records["web-1"].log.bytes_logged == 19);
  CHECK(next.records["web-2"] == before.at("web-2"));
  CHECK(client.out == "while nobody looks\n");
  box.supervisor = shim_client{box.process.socket_path()};
}

TEST_CASE("a record stays until it is forgotten", "[shim]") {
  shim_box box;
  box.run(launch_of("web-1"), shell_plan(box.fs, "true"));
  shim_client second{box.process.socket_path()};
  second.wait_until_synced();
  REQUIRE(second.records.contains("web-1"));
  REQUIRE(second.ask(shim::forget{0, "web-1"}).fault == 0);

  shim_client third{box.process.socket_path()};
  third.wait_until_synced();

  CHECK(third.records.empty());
}

TEST_CASE("a new supervisor takes the place of the old one", "[shim]") {
  shim_box box;
  box.supervisor.wait_until_synced();

  shim_client next{box.process.socket_path()};
  next.wait_until_synced();

  CHECK_FALSE(box.supervisor.receive());
}

TEST_CASE("a shim that nobody needs ends and takes its socket away", "[shim]") {
  shim_box box;
  box.run(launch_of("web-1"), shell_plan(box.fs, "true"));
  REQUIRE(box.supervisor.ask(shim::forget{0, "web-1"}).fault == 0);
  REQUIRE_FALSE(box.process.exited());

  box.supervisor.drop();

  CHECK(box.process.exit_code() == 0);
  CHECK_FALSE(std::filesystem::exists(box.process.socket_path()));
}

TEST_CASE("a shim that holds a record does not end with its supervisor",
          "[shim]") {
  shim_box box;
  box.run(launch_of("web-1"), shell_plan(box.fs, "true"));

  box.supervisor.drop();
  shim_client next{box.process.socket_path()};
  next.wait_until_synced();

  CHECK(next.records.contains("web-1"));
}

TEST_CASE("quit is answered and ends the shim", "[shim]") {
  shim_box box;

  CHECK(box.supervisor.ask(shim::quit{}).fault == 0);

  CHECK(box.process.exit_code() == 0);
}

TEST_CASE("signals that end other programs do not end the shim", "[shim]") {
  shim_box box;
  for (const auto signo : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT, SIGUSR1})
    REQUIRE(sys::send_signal(box.process.pidfd(), signo));

  CHECK(box.run(launch_of("web-1"), shell_plan(box.fs, "true")).exit_code == 0);
}

TEST_CASE("garbage on the socket costs its sender the connection only",
          "[shim]") {
  shim_box box;
  box.begin(launch_of("web-1"), quick_plan(box.fs, {"/bin/sleep", "1000"}));
  std::mt19937 random{42};

  for (auto i = 0; i < 100; ++i) {
    auto evil = sys::seqpacket_connect(box.process.socket_path()).value();
    // The last ones are longer than any packet may be.
    std::vector<std::uint8_t> bytes(i < 90 ? 1 + random() % 300
                                           : shim::max_packet + 1000);
    for (auto& each : bytes)
      each = static_cast<std::uint8_t>(random());
    const std::vector<int> fds(i % 3, evil.get());
    (void)sys::send_packet(evil.get(), bytes, fds);
    while (readable(evil.get()))
      if (auto got = sys::receive_packet(evil.get()); !got || got->closed)
        break;
  }
  shim_client next{box.process.socket_path()};
  next.wait_until_synced();

  CHECK(next.records["web-1"].state == process_state::running);
  CHECK(next.ask(shim::signal{0, "web-1", SIGKILL}).fault == 0);
  CHECK(next.wait_for("web-1", process_state::exited).exit_signal == SIGKILL);
}

TEST_CASE("a supervisor that never reads is let go, and loses nothing",
          "[shim]") {
  shim_box box;
  box.begin(launch_of("web-1"), quick_plan(box.fs, {"/bin/sleep", "1000"}));
  auto deaf = sys::seqpacket_connect(box.process.socket_path()).value();
  const auto request = encode(shim::request{shim::start{1, "absent"}});

  auto sent = 0;
  for (;;) {
    pollfd about{deaf.get(), POLLOUT, 0};
    REQUIRE(::poll(&about, 1, test::patient_ms(60'000)) == 1);
    const auto how = sys::send_packet(deaf.get(), request);
    sent += how.has_value();
    if (!how && how.error().code != fault::exhausted)
      break;
  }
  shim_client next{box.process.socket_path()};
  next.wait_until_synced();

  CHECK(sent > 4096);
  CHECK(next.records["web-1"].state == process_state::running);
}

TEST_CASE("the shim keeps no descriptor of a container that is forgotten",
          "[shim]") {
  shim_box box;
  const auto open_fds = [&] {
    const auto all = std::filesystem::directory_iterator{
      "/proc/" + std::to_string(box.process.pid()) + "/fd"};
    return std::distance(begin(all), end(all));
  };
  const auto run = [&] {
    auto request = launch_of("web-1", box.process.log_path());
    request.open_stdin = true;
    box.run(request, shell_plan(box.fs, "echo hello"));
    REQUIRE(box.supervisor.ask(shim::forget{0, "web-1"}).fault == 0);
  };
  run(); // From then on it has a spare launcher at all times.
  const auto before = open_fds();

  for (auto i = 0; i < 5; ++i)
    run();

  CHECK(eventually([&] { return open_fds() == before; }));
}

TEST_CASE("a container inherits nothing of the shim", "[shim][rule-5]") {
  shim_box box;
  box.run(launch_of("web-1", box.process.log_path()),
          shell_plan(box.fs, "ls /proc/self/fd; grep -E 'SigBlk|SigIgn' "
                             "/proc/self/status; umask"));

  auto text = std::string{};
  std::istringstream lines{file_content(box.process.log_path())};
  for (std::string line; std::getline(lines, line);)
    text += line.substr(line.find(" stdout F ") + 10) + "\n";
  // 3 is what `ls` itself has opened.
  CHECK(text
        == "0\n1\n2\n3\nSigBlk:\t0000000000000000\n"
           "SigIgn:\t0000000000000000\n0022\n");
}

TEST_CASE("a shim is started from a sealed copy and listens on return",
          "[shim][rule-4]") {
  const scratch_directory directory;
  const auto path = directory / "shim.sock";

  const auto started = shim::start_shim(
    std::string{TROUPE_BIN_DIR} + "/troupe-shim", path, 1);
  INFO((started ? "" : started.error().what));
  REQUIRE(started);
  shim_client supervisor{path};
  supervisor.wait_until_synced();
  const auto exe = std::filesystem::read_symlink(
    "/proc/" + std::to_string(supervisor.hello->pid) + "/exe");
  const auto second = shim::start_shim(
    std::string{TROUPE_BIN_DIR} + "/troupe-shim", path, 1);
  const auto pidfd = sys::open_pidfd(supervisor.hello->pid).value();
  CHECK(supervisor.ask(shim::quit{}).fault == 0);

  CHECK(exe.string().starts_with("/memfd:troupe-shim"));
  REQUIRE_FALSE(second);
  CHECK(second.error().what.find("another process listens")
        != std::string::npos);
  CHECK(readable(pidfd.get()));
}

TEST_CASE("a shim that cannot be started says why", "[shim]") {
  const scratch_directory directory;
  const auto no_binary = shim::start_shim(directory / "absent",
                                          directory / "shim.sock", 0);
  const auto no_directory = shim::start_shim(std::string{TROUPE_BIN_DIR}
                                               + "/troupe-shim",
                                             directory / "absent/shim.sock", 0);

  REQUIRE_FALSE(no_binary);
  CHECK(no_binary.error().os_errno == ENOENT);
  REQUIRE_FALSE(no_directory);
  CHECK(no_directory.error().what.find("ENOENT") != std::string::npos);
}

} // namespace troupe::shim_survival_test
