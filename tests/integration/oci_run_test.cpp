#include "tests/support/oci_box.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <future>
#include <sys/mount.h>

namespace troupe::oci_run_test {

using Catch::Contains;
using test::oci_box;

namespace {

test::command_result run_web(const oci_box& box,
                             test::command_options options = {},
                             std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"run", "--bundle", box.fs.bundle()});
  more.emplace_back("web");
  return box.call(more, std::move(options));
}

} // namespace

TEST_CASE("run carries stdio and the exit code, and leaves nothing") {
  oci_box box;
  box.runs("read line; echo out $line; echo err >&2; exit 7");
  const auto done = run_web(box, {.input = "in\n"});
  CHECK(done.exit_code == 7);
  CHECK(done.out == "out in\n");
  CHECK(done.err == "err\n");
  CHECK(box.leftovers().empty());
}

TEST_CASE("run says 128 + N of a signal, and hands signals on") {
  oci_box box;
  box.runs("kill -9 $$");
  // A pid namespace's init cannot kill itself: it goes on, and ends.
  CHECK(run_web(box).exit_code == 0);
  box.runs("trap 'echo got it; exit 3' TERM; echo ready; sleep 1000 & wait");
  test::background running{{oci_box::program(), "--root", box.root(), "run",
                            "--bundle", box.fs.bundle(), "web"}};
  REQUIRE(running.wait_for_output("ready"));
  running.signal(SIGTERM);
  CHECK(running.wait() == 3);
  CHECK_THAT(running.output(), Contains("got it"));
  CHECK(box.leftovers().empty());
}

TEST_CASE("run --keep keeps the container, run --detach leaves it running") {
  oci_box box;
  box.runs("exit 2");
  CHECK(run_web(box, {}, {"--keep"}).exit_code == 2);
  CHECK(box.status("web") == "stopped");
  REQUIRE(box.call({"delete", "web"}).exit_code == 0);
  box.runs("sleep 1000");
  REQUIRE(
    box.quietly({"run", "-d", "--bundle", box.fs.bundle(), "web"}).exit_code
    == 0);
  CHECK(box.status("web") == "running");
}

TEST_CASE("nothing of the caller's reaches a container") {
  oci_box box;
  box.runs("echo /proc/self/fd/*; env; echo cwd $(pwd)");
  // As conmon does: a whole environment, pipes by number, and descriptors.
  const auto command = "exec 3</etc/passwd 4</ 5>/dev/null; exec "
                       + oci_box::program() + " --root " + box.root()
                       + " run --bundle " + box.fs.bundle() + " web";
  const auto done = test::run(
    {"/bin/sh", "-c", command},
    {.env = {"_OCI_SYNCPIPE=3", "_OCI_STARTPIPE=4", "_OCI_ATTACHPIPE=5"}});
  CHECK(done.exit_code == 0);
  // The fourth is the shell's own, of the directory it lists.
  CHECK_THAT(done.out, Contains("/proc/self/fd/2 ") || Contains("fd/2\n"));
  CHECK_THAT(done.out, !Contains("/proc/self/fd/4"));
  CHECK_THAT(done.out, !Contains("_OCI_"));
  CHECK_THAT(done.out, Contains("HOME=/root"));
}

TEST_CASE("exec runs a further process with what its flags say") {
  oci_box box;
  box.spec.process->env.push_back("COLOUR=blue");
  box.runs("sleep 1000");
  box.create("web");
  REQUIRE(box.call({"start", "web"}).exit_code == 0);
  const auto said = box.call(
    {"exec", "-e", "SHAPE=round", "--cwd", "/tmp", "--user", "7:8",
     "-additional-gids", "9", "--no-new-privs", "web", "sh", "-c",
     "echo $COLOUR $SHAPE $(pwd) $(id -u) $(id -g) $(id -G); exit 4"});
  INFO(said.err);
  CHECK(said.exit_code == 4);
  CHECK(said.out == "blue round /tmp 7 8 8 9\n");
  // Everything behind the id is the command's.
  CHECK(box.call({"exec", "web", "echo", "-d", "--cwd"}).out == "-d --cwd\n");
  CHECK(box.call({"exec", "web", "--", "echo", "x"}).out == "x\n");
  CHECK(box.call({"exec", "web", "sh", "-c", "kill -9 $$"}).exit_code == 137);
  CHECK(box.call({"exec", "web", "cat"}, {.input = "through"}).out
        == "through");
}

TEST_CASE("exec --process takes a document, --detach leaves it running") {
  oci_box box;
  box.create("web");
  REQUIRE(box.call({"start", "web"}).exit_code == 0);
  auto process = *box.spec.process;
  process.args = {"sh", "-c", "touch /tmp/here; exec sleep 999"};
  box.directory.write("process.json", oci::to_json(process).dump());
  const auto done = box.quietly({"exec", "--process",
                                 box.directory / "process.json", "--detach",
                                 "--pid-file", box.directory / "pid", "web"});
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  const auto pid = box.directory.read("pid");
  CHECK_THAT(box.call({"ps", "web", "-o", "pid,args"}).out,
             Contains(pid + " sleep 999") || Contains("touch"));
  const auto pids = nlohmann::json::parse(
    box.call({"ps", "--format", "json", "web"}).out);
  CHECK(std::ranges::count(pids.get<std::vector<int>>(), std::stoi(pid)) == 1);
  box.directory.write("process.json", "{\"args\": [1]}");
  const auto wrong = box.call(
    {"exec", "-p", box.directory / "process.json", "web"});
  CHECK(wrong.exit_code == 255);
  CHECK_THAT(wrong.err, Contains("/cwd") || Contains("/args/0"));
}

TEST_CASE("a container's program is not this file of the host", "[rule-4]") {
  // CVE-2019-5736: an image whose program is /proc/self/exe runs its runtime.
  oci_box box;
  box.create("web");
  const auto path = "/proc/" + box.state("web").at("pid").dump() + "/exe";
  // Running is not what protects it (ETXTBSY): that ends.
  CHECK(::open(path.c_str(), O_WRONLY | O_CLOEXEC) < 0);
  CHECK(errno == EROFS);
  // Neither is the mount, which a container with CAP_SYS_ADMIN may change, but
  // the file system that it shows: a remount of that finds nowhere to write.
  const sys::unique_fd file{::open(path.c_str(), O_PATH | O_CLOEXEC)};
  REQUIRE(file);
  struct mount_attr writable {};
  writable.attr_clr = MOUNT_ATTR_RDONLY;
  (void)::mount_setattr(file.get(), "", AT_EMPTY_PATH, &writable,
                        sizeof(writable));
  CHECK(::open(path.c_str(), O_WRONLY | O_CLOEXEC) < 0);
  CHECK(errno == EROFS);
}

TEST_CASE("a container has a session keyring of its own, unless told not to") {
  oci_box box;
  // Names of this test alone: the kernel collects a keyring late.
  box.runs("grep -c '_ses.own:' /proc/keys");
  CHECK(box.call({"run", "--bundle", box.fs.bundle(), "own"}).out == "1\n");
  box.runs("grep -c '_ses.bare:' /proc/keys");
  CHECK(
    box.call({"run", "--bundle", box.fs.bundle(), "--no-new-keyring", "bare"})
      .out
    == "0\n");
}

TEST_CASE("a session may wait in a paused container until that is resumed") {
  const oci_box box;
  box.create("web");
  REQUIRE(box.call({"start", "web"}).exit_code == 0);
  REQUIRE(box.call({"pause", "web"}).exit_code == 0);
  auto session = std::async(std::launch::async, [&] {
    return box.call(
      {"exec", "--ignore-paused", "web", "/bin/sh", "-c", "exit 7"});
  });
  auto processes = std::size_t{0};
  while (processes < 2) // it is in there, frozen
    processes = nlohmann::json::parse(
                  box.call({"ps", "--format", "json", "web"}).out)
                  .size();
  CHECK(box.status("web") == "paused");
  CHECK(box.call({"resume", "web"}).exit_code == 0);
  CHECK(session.get().exit_code == 7);
}

} // namespace troupe::oci_run_test
