// Where a process's output goes: drivers and what they do when they cannot.

#include "runtime/linux/memfd.hpp"
#include "tests/support/attached.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/shim_box.hpp"

#include <cerrno>
#include <map>
#include <sys/un.h>

namespace troupe::shim_log_test {

using namespace troupe::test;
using shim::log_driver;
using shim::overflow;
using shim::process_state;

namespace {

/// What systemd-journald would get: systemd.io/JOURNAL_NATIVE_PROTOCOL.
class journal {
public:
  using record = std::map<std::string, std::string>;

  explicit journal(std::string path) : path_(std::move(path)) {
    open();
  }

  void open() {
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path_.copy(at.sun_path, sizeof at.sun_path - 1);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&at), sizeof at)
            == 0);
  }

  void close() {
    socket_.reset();
    std::filesystem::remove(path_);
  }

  record take() {
    REQUIRE(readable(socket_.get()));
    std::string bytes(256U << 10U, '\0');
    const auto n = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    REQUIRE(n > 0);
    bytes.resize(static_cast<std::size_t>(n));
    return parsed(bytes);
  }

  /// The messages of the next records, up to one that says `end`.
  std::string take_until(const std::string& end) {
    std::string out;
    for (;;) {
      auto next = take();
      out += next["MESSAGE"];
      if (!next.contains("CONTAINER_PARTIAL_MESSAGE"))
        out += '\n';
      if (next["MESSAGE"] == end)
        return out;
    }
  }

  [[nodiscard]] const std::string& path() const {
    return path_;
  }

private:
  static record parsed(std::string_view bytes) {
    record out;
    while (!bytes.empty()) {
      const auto mark = bytes.find_first_of("=\n");
      REQUIRE(mark != std::string_view::npos);
      const std::string name{bytes.substr(0, mark)};
      const auto is_text = bytes[mark] == '=';
      bytes.remove_prefix(mark + 1);
      std::uint64_t size = bytes.find('\n');
      if (!is_text) {
        REQUIRE(bytes.size() > sizeof size);
        std::memcpy(&size, bytes.data(), sizeof size);
        bytes.remove_prefix(sizeof size);
      }
      REQUIRE(size < bytes.size());
      out[name] = bytes.substr(0, size);
      REQUIRE(bytes[size] == '\n');
      bytes.remove_prefix(size + 1);
    }
    return out;
  }

  std::string path_;
  sys::unique_fd socket_;
};

shim::launch journalled(const journal& to, overflow when_full) {
  auto out = launch_of("web-1");
  out.log.driver = log_driver::journald;
  out.log.path = to.path();
  out.log.when_full = when_full;
  return out;
}

std::string whole(int file) {
  std::string out(1U << 20U, '\0');
  const auto n = ::pread(file, out.data(), out.size(), 0);
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return out;
}

struct pipe_pair {
  pipe_pair() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  std::string rest() {
    write.reset();
    std::string out;
    char buffer[4096];
    for (ssize_t n = 0; readable(read.get())
                        && (n = ::read(read.get(), buffer, sizeof buffer)) > 0;)
      out.append(buffer, static_cast<std::size_t>(n));
    return out;
  }
  sys::unique_fd read;
  sys::unique_fd write;
};

} // namespace

TEST_CASE("a process waits for its full disk, and only that process",
          "[shim][log]") {
  shim_box box;
  const small_disk disk{box.process.log_path("disk")};
  std::ofstream{disk / "ballast"} << std::string(64 << 10, 'b');
  auto request = launch_of("web-1", disk / "log");
  request.log.when_full = overflow::block;
  const auto all = std::string(999, 'x') + "\n" + std::string(40'000, 'y');
  box.fs.write("data/all", all);
  box.begin(request, quick_plan(box.fs, {"/bin/cat", "/data/all"}));
  while (box.supervisor.records["web-1"].log.last_errno != ENOSPC)
    REQUIRE(box.supervisor.receive());

  box.run(launch_of("web-2", box.process.log_path()),
          shell_plan(box.fs, "echo free"));
  CHECK(box.supervisor.records["web-1"].log.bytes_dropped == 0);
  std::filesystem::remove(disk / "ballast");
  const auto exited = box.supervisor.wait_for("web-1", process_state::exited);

  CHECK(exited.log.bytes_logged == 41'000);
  CHECK(exited.log.bytes_dropped == 0);
  CHECK((text_of(file_content(disk / "log"), log::stream::out) == all));
}

TEST_CASE("dropped bytes are counted by their reason", "[shim][log]") {
  shim_box box;
  const small_disk disk{box.process.log_path("disk")};
  box.fs.write("data/big", std::string(200'000, 'x') + "\n");
  const auto exited = box.run(launch_of("web-1", disk / "log"),
                              quick_plan(box.fs, {"/bin/cat", "/data/big"}));
  REQUIRE(exited.log.drops.size() == 1);
  CHECK(exited.log.drops[0]
        == shim::log_drop{ENOSPC, exited.log.bytes_dropped});
}

TEST_CASE("the supervisor hears of output while it is written", "[shim][log]") {
  shim_box box;
  box.begin(launch_of("web-1", box.process.log_path()),
            shell_plan(box.fs, "echo hello; exec sleep 1000"));
  while (box.supervisor.records["web-1"].log.bytes_logged != 6)
    REQUIRE(box.supervisor.receive());
}

TEST_CASE("a log is opened again after it was moved", "[shim][log]") {
  shim_box box;
  const auto path = box.process.log_path();
  auto request = launch_of("web-1", path);
  request.open_stdin = true;
  box.begin(request, quick_plan(box.fs, {"/bin/cat"}));
  attached client{box.supervisor, "web-1", true};
  client.send("before\n");
  while (client.out != "before\n")
    REQUIRE(client.receive());
  std::filesystem::rename(path, path + ".moved");
  REQUIRE(box.supervisor.ask(shim::reopen_log{0, "web-1"}).fault == 0);
  client.send("after\n");
  client.close_stdin();
  box.supervisor.wait_for("web-1", process_state::exited);
  CHECK(text_of(file_content(path + ".moved"), log::stream::out) == "before\n");
  CHECK(text_of(file_content(path), log::stream::out) == "after\n");
  CHECK(box.supervisor.ask(shim::reopen_log{0, "web-1"}).fault
        == static_cast<std::uint8_t>(fault::wrong_state));
}

TEST_CASE("the journal gets a record per line, with its fields",
          "[shim][log]") {
  shim_box box;
  journal to{box.process.log_path("journal")};
  box.fs.write("data/odd", "b\xff\x01" + std::string(1, '\0') + "=\n"
                             + std::string(log::max_text + 3, 'y'));
  box.begin(journalled(to, overflow::block),
            shell_plan(box.fs, "echo one; cat /data/odd; echo two >&2"));
  const auto exited = box.supervisor.wait_for("web-1", process_state::exited);

  auto first = to.take();
  CHECK(first["MESSAGE"] == "one");
  CHECK(first["PRIORITY"] == "6");
  CHECK(first["CONTAINER_ID"] == "web-1");
  CHECK(first["CONTAINER_ID_FULL"] == "web-1");
  CHECK(first["CONTAINER_NAME"] == "web-1");
  CHECK(first["SYSLOG_IDENTIFIER"] == "web-1");
  CHECK_FALSE(first.contains("CONTAINER_PARTIAL_MESSAGE"));
  CHECK(to.take()["MESSAGE"] == std::string("b\xff\x01\0=", 5));
  // Two pipes: what is read of one is in order, but not of both.
  std::map<std::string, journal::record> last;
  for (auto i = 0; i < 3; ++i) {
    auto next = to.take();
    last[next["MESSAGE"]] = next;
  }
  CHECK(last[std::string(log::max_text, 'y')]["CONTAINER_PARTIAL_MESSAGE"]
        == "true");
  CHECK(last["two"]["PRIORITY"] == "3");
  CHECK(last["yyy"]["CONTAINER_PARTIAL_MESSAGE"] == "true");
  CHECK(exited.log.bytes_logged == exited.log.bytes_in);
}

TEST_CASE("a journal that does not keep up is waited for", "[shim][log]") {
  shim_box box;
  journal to{box.process.log_path("journal")};
  auto request = journalled(to, overflow::block);
  request.open_stdin = true;
  box.begin(request, shell_plan(box.fs, "seq 1 5000; echo end; read line"));
  attached client{box.supervisor, "web-1", true, false};
  while (box.supervisor.records["web-1"].log.last_errno != EAGAIN)
    REQUIRE(box.supervisor.receive());
  const auto got = to.take_until("end");
  client.close_stdin();
  const auto exited = box.supervisor.wait_for("web-1", process_state::exited);
  std::string expected;
  for (auto i = 1; i <= 5000; ++i)
    expected += std::to_string(i) + '\n';
  CHECK(got == expected + "end\n");
  CHECK(exited.log.bytes_dropped == 0);
}

TEST_CASE("a dead journal loses what is dropped for it, and no more",
          "[shim][log]") {
  shim_box box;
  journal to{box.process.log_path("journal")};
  auto request = journalled(to, overflow::drop);
  request.open_stdin = true;
  box.begin(request, quick_plan(box.fs, {"/bin/cat"}));
  attached client{box.supervisor, "web-1", true};
  const auto say = [&](const std::string& line) {
    client.send(line + "\n");
    while (!client.out.ends_with(line + "\n"))
      REQUIRE(client.receive());
  };
  say("one");
  CHECK(to.take()["MESSAGE"] == "one");
  to.close();
  say("lost");
  to.open();
  say("three");
  CHECK(to.take()["MESSAGE"] == "three");
  client.close_stdin();
  const auto exited = box.supervisor.wait_for("web-1", process_state::exited);
  CHECK(exited.log.bytes_in == 15);
  CHECK(exited.log.bytes_logged == 10);
  CHECK(exited.log.drops == std::vector<shim::log_drop>{{ENOENT, 5}});
}

TEST_CASE("with passthrough a process has its caller's own descriptors",
          "[shim][log]") {
  shim_box box;
  pipe_pair in;
  pipe_pair out;
  pipe_pair err;
  auto request = launch_of("web-1");
  request.log.driver = log_driver::passthrough;
  const auto plan = shell_plan(box.fs, "read line; echo got $line; echo e >&2");
  const auto memfd = sys::sealed_memfd("plan", encode(plan)).value();
  const auto launched = box.supervisor.ask(
    request, {memfd.get(), in.read.get(), out.write.get(), err.write.get()});
  REQUIRE(launched.what.empty());
  REQUIRE(box.supervisor.start("web-1").fault == 0);
  REQUIRE(::write(in.write.get(), "hello\n", 6) == 6);
  attached client{box.supervisor, "web-1", false};
  client.receive_all();
  CHECK(client.out.empty());
  CHECK(client.status == R"({"exit_code":0,"signal":0})");
  CHECK(out.rest() == "got hello\n");
  CHECK(err.rest() == "e\n");

  const auto refused = box.supervisor.launch(launch_of("web-2"), plan);
  CHECK(refused.fault == 0);
  request.key = "web-3";
  CHECK(
    box.supervisor.launch(request, plan).what.find("1 descriptors, 4 wanted")
    != std::string::npos);
}

TEST_CASE("captured output is cut at its size, and the rest counted",
          "[shim][log]") {
  shim_box box;
  auto request = launch_of("web-1");
  request.log.driver = log_driver::capture;
  request.log.max_size = 10;
  const auto plan = shell_plan(box.fs, "echo 0123456789abcdef; echo short >&2");
  const auto memfd = sys::sealed_memfd("plan", encode(plan)).value();
  const auto out = sys::plain_memfd("out").value();
  const auto err = sys::plain_memfd("err").value();
  REQUIRE(box.supervisor.ask(request, {memfd.get(), out.get(), err.get()}).fault
          == 0);
  REQUIRE(box.supervisor.start("web-1").fault == 0);
  const auto exited = box.supervisor.wait_for("web-1", process_state::exited);
  CHECK(whole(out.get()) == "0123456789");
  CHECK(whole(err.get()) == "short\n");
  CHECK(exited.log.bytes_logged == 16);
  CHECK(exited.log.drops == std::vector<shim::log_drop>{{EFBIG, 7}});
}

TEST_CASE("descriptors are handed down, and no others", "[shim][rule-5]") {
  shim_box box;
  auto request = launch_of("web-1", box.process.log_path());
  request.preserve_fds = 3;
  const auto plan = shell_plan(
    box.fs, "cat <&3; cat <&5; ls /proc/self/fd | tr '\\n' ' '");
  const auto memfd = sys::sealed_memfd("plan", encode(plan)).value();
  const auto text = [](std::string_view content) {
    auto out = sys::plain_memfd("given").value();
    REQUIRE(::pwrite(out.get(), content.data(), content.size(), 0)
            == static_cast<ssize_t>(content.size()));
    return out;
  };
  const auto a = text("third\n");
  const auto b = text("fourth\n");
  const auto c = text("fifth\n");
  REQUIRE(
    box.supervisor.ask(request, {memfd.get(), a.get(), b.get(), c.get()}).fault
    == 0);
  REQUIRE(box.supervisor.start("web-1").fault == 0);
  box.supervisor.wait_for("web-1", process_state::exited);
  CHECK(text_of(file_content(box.process.log_path()), log::stream::out)
        == "third\nfifth\n0 1 2 3 4 5 6 "); // 6: ls's own
}

} // namespace troupe::shim_log_test
