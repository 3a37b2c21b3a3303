#include "tests/support/attached.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/shim_box.hpp"

#include <cerrno>

namespace troupe::shim_stdio_test {

using namespace troupe::test;
using shim::process_state;

namespace {

std::string logged(const shim_box& box, log::stream wanted) {
  return text_of(file_content(box.process.log_path()), wanted);
}

} // namespace

TEST_CASE("both streams are logged byte for byte, the last lines as pieces",
          "[shim][log]") {
  shim_box box;
  const auto exited = box.run(
    launch_of("web-1", box.process.log_path()),
    shell_plan(box.fs, "echo one; echo; echo two >&2; echo -n three; "
                       "echo -n four >&2"));

  CHECK(logged(box, log::stream::out) == "one\n\nthree");
  CHECK(logged(box, log::stream::err) == "two\nfour");
  CHECK(exited.log.bytes_in == 18);
  CHECK(exited.log.bytes_logged == 18);
  CHECK(exited.log.bytes_dropped == 0);
}

TEST_CASE("a megabyte arrives whole before the exit is announced",
          "[shim][log]") {
  constexpr auto lines = 20'000;
  shim_box box;
  auto expected = std::string{};
  for (auto i = 0; i < lines; ++i)
    expected += "this is line number " + std::to_string(i)
                + " of an output that is long\n";
  expected += std::string(100'000, 'x'); // one line longer than a record
  box.fs.write("data/big", expected);

  const auto exited = box.run(launch_of("web-1", box.process.log_path()),
                              quick_plan(box.fs, {"/bin/cat", "/data/big"}));

  CHECK(logged(box, log::stream::out) == expected);
  CHECK(exited.log.bytes_logged == static_cast<std::int64_t>(expected.size()));
}

TEST_CASE("a log is rotated by size and only so many files are kept",
          "[shim][log]") {
  shim_box box;
  auto request = launch_of("web-1", box.process.log_path());
  request.log.max_size = 1000;
  request.log.max_files = 2;
  box.run(request, shell_plan(box.fs, "i=0; while [ $i -lt 100 ]; do "
                                      "echo line $i; i=$((i+1)); done"));

  const auto path = box.process.log_path();
  const auto kept = file_content(path + ".2") + file_content(path + ".1")
                    + file_content(path);
  CHECK_FALSE(std::filesystem::exists(path + ".3"));
  CHECK(std::filesystem::file_size(path) <= 1000);
  CHECK(std::filesystem::file_size(path + ".1") <= 1000);
  CHECK(text_of(kept, log::stream::out).ends_with("line 98\nline 99\n"));
  CHECK(std::count(kept.begin(), kept.end(), '\n') > 40);
}

TEST_CASE("a log that cannot be made fails the launch", "[shim][log]") {
  shim_box box;

  const auto launched = box.supervisor.launch(
    launch_of("web-1", "/absent/dir/log"), shell_plan(box.fs, "true"));

  CHECK(static_cast<fault>(launched.fault) == fault::not_found);
  CHECK(launched.what.starts_with("open log /absent/dir/log: ENOENT"));
  CHECK(box.supervisor.records.empty());
}

TEST_CASE("output for a full disk is counted, and what fits stays whole",
          "[shim][log]") {
  shim_box box;
  const small_disk disk{box.process.log_path("disk")};
  box.fs.write("data/big", std::string(200'000, 'x') + "\n");

  const auto exited = box.run(launch_of("web-1", disk / "log"),
                              quick_plan(box.fs, {"/bin/cat", "/data/big"}));

  CHECK(exited.log.last_errno == ENOSPC);
  CHECK(exited.log.bytes_in == 200'001);
  CHECK(exited.log.bytes_dropped > 0);
  CHECK(exited.log.bytes_logged > 0);
  CHECK(exited.log.bytes_logged + exited.log.bytes_dropped
        == exited.log.bytes_in);
  const auto text = text_of(file_content(disk / "log"), log::stream::out);
  CHECK(static_cast<std::int64_t>(text.size()) == exited.log.bytes_logged);
}

TEST_CASE("logging goes on when the disk has room again", "[shim][log]") {
  shim_box box;
  const small_disk disk{box.process.log_path("disk")};
  std::ofstream{disk / "ballast"} << std::string(64 << 10, 'b');
  auto request = launch_of("web-1", disk / "log");
  request.open_stdin = true;
  box.begin(request, quick_plan(box.fs, {"/bin/cat"}));
  attached client{box.supervisor, "web-1", true};
  REQUIRE(client.reply.fault == 0);

  client.send("lost\n");
  while (box.supervisor.records["web-1"].log.bytes_dropped != 5)
    REQUIRE(box.supervisor.receive());
  std::filesystem::remove(disk / "ballast");
  client.send("kept\n");
  client.close_stdin();
  const auto exited = box.supervisor.wait_for("web-1", process_state::exited);

  CHECK(exited.log.bytes_logged == 5);
  CHECK(text_of(file_content(disk / "log"), log::stream::out) == "kept\n");
}

TEST_CASE("an attached client speaks with the process and hears of its end",
          "[shim][attach]") {
  shim_box box;
  auto request = launch_of("web-1");
  request.open_stdin = true;
  REQUIRE(box.supervisor
            .launch(request, shell_plan(box.fs, "cat; echo end >&2; exit 3"))
            .fault
          == 0);
  attached client{box.supervisor, "web-1", true};
  REQUIRE(client.reply.fault == 0);
  REQUIRE(box.supervisor.start("web-1").fault == 0);

  client.send("hello ");
  client.send("world\n");
  while (client.out != "hello world\n")
    REQUIRE(client.receive());
  client.close_stdin();
  client.receive_all();

  CHECK(client.out == "hello world\n");
  CHECK(client.err == "end\n");
  CHECK(client.status == R"({"exit_code":3,"signal":0})");
}

TEST_CASE("stdin larger than every buffer comes through whole",
          "[shim][attach]") {
  shim_box box;
  auto request = launch_of("web-1");
  request.open_stdin = true;
  box.begin(request, quick_plan(box.fs, {"/bin/wc", "-c"}));
  attached client{box.supervisor, "web-1", true};

  for (auto i = 0; i < 50; ++i)
    client.send(std::string(100'000, 'x'));
  client.close_stdin();
  client.receive_all();

  CHECK(client.out == "5000000\n");
}

TEST_CASE("a client that does not read holds its process up, not the shim",
          "[shim][attach]") {
  shim_box box;
  REQUIRE(
    box.supervisor
      .launch(launch_of("web-1"),
              shell_plan(box.fs, "dd if=/dev/zero bs=4096 count=2000 | cat"))
      .fault
    == 0);
  attached client{box.supervisor, "web-1", false};
  REQUIRE(client.reply.fault == 0);
  REQUIRE(box.supervisor.start("web-1").fault == 0);

  // The shim serves others meanwhile.
  CHECK(box.run(launch_of("web-2"), shell_plan(box.fs, "true")).exit_code == 0);
  CHECK(box.supervisor.records["web-1"].state == process_state::running);
  client.receive_all();

  CHECK(client.out.size() == 4096 * 2000);
  CHECK(client.status == R"({"exit_code":0,"signal":0})");
}

TEST_CASE("a client that hangs up lets its process go on", "[shim][attach]") {
  shim_box box;
  auto request = launch_of("web-1", box.process.log_path());
  request.open_stdin = true;
  box.begin(request, quick_plan(box.fs, {"/bin/cat"}));
  attached first{box.supervisor, "web-1", true};
  first.send("first\n");
  while (first.out.empty())
    REQUIRE(first.receive());
  first.drop();
  attached second{box.supervisor, "web-1", true};

  second.send("second\n");
  second.close_stdin();
  second.receive_all();

  CHECK(second.out == "second\n");
  CHECK(logged(box, log::stream::out) == "first\nsecond\n");
}

TEST_CASE("a client that breaks the framing is disconnected",
          "[shim][attach]") {
  shim_box box;
  auto request = launch_of("web-1");
  request.open_stdin = true;
  box.begin(request, quick_plan(box.fs, {"/bin/cat"}));
  const auto bytes = GENERATE(
    std::string("\x00\x00\x00\x00\x7f\xff\xff\xff", 8),  // too long
    std::string("\x02\x00\x00\x00\x00\x00\x00\x01", 8)); // stderr, to us
  attached client{box.supervisor, "web-1", true};

  client.send_raw(bytes);

  CHECK_FALSE(client.receive());
  CHECK(box.supervisor.records["web-1"].state == process_state::running);
}

TEST_CASE("attaching to a process that is over gives its status at once",
          "[shim][attach]") {
  shim_box box;
  box.run(launch_of("web-1"), shell_plan(box.fs, "exit 5"));

  attached client{box.supervisor, "web-1", false};
  client.receive_all();

  CHECK(client.reply.fault == 0);
  CHECK(client.status == R"({"exit_code":5,"signal":0})");
}

TEST_CASE("a start that fails tells attached clients why", "[shim][attach]") {
  shim_box box;
  box.fs.write("data/program", "#!/absent/interpreter");
  std::filesystem::permissions(box.fs.root() / "data/program",
                               std::filesystem::perms{0755});
  REQUIRE(box.supervisor
            .launch(launch_of("web-1"), quick_plan(box.fs, {"/data/program"}))
            .fault
          == 0);
  attached client{box.supervisor, "web-1", false};

  box.supervisor.start("web-1");
  client.receive_all();

  CHECK(client.status.starts_with(R"({"exit_code":127,"error":"exec: )"));
  CHECK(client.status.find("ENOENT") != std::string::npos);
}

TEST_CASE("stdin is refused where the process has none", "[shim][attach]") {
  shim_box box;
  box.begin(launch_of("web-1"), quick_plan(box.fs, {"/bin/sleep", "1000"}));

  attached client{box.supervisor, "web-1", true};

  CHECK(static_cast<fault>(client.reply.fault) == fault::invalid_config);
}

} // namespace troupe::shim_stdio_test
