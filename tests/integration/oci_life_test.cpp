#include "tests/support/oci_box.hpp"

#include <csignal>

namespace troupe::oci_life_test {

using Catch::Contains;
using test::oci_box;

TEST_CASE("troupe-oci leads a container through its life") {
  oci_box box;
  box.create("web", {"--pid-file", box.directory / "pid"});
  const auto created = box.state("web");
  CHECK(created.at("status") == "created");
  CHECK(created.at("id") == "web");
  CHECK(created.at("bundle") == box.fs.bundle());
  CHECK(created.at("rootfs") == box.fs.path());
  CHECK(created.at("ociVersion") == box.spec.oci_version);
  CHECK(created.at("owner") == "");
  CHECK(box.directory.read("pid") == std::to_string(int{created.at("pid")}));
  REQUIRE(box.call({"start", "web"}).exit_code == 0);
  CHECK(box.status("web") == "running");
  CHECK(box.state("web").at("pid") == created.at("pid"));
  REQUIRE(box.call({"kill", "web", "sigkill"}).exit_code == 0);
  box.wait_until_stopped("web");
  CHECK(box.state("web").at("pid") == 0);
  const auto removed = box.call({"delete", "web"});
  INFO(removed.err);
  CHECK(removed.exit_code == 0);
  CHECK(box.leftovers().empty());
}

namespace {

/// A call that is refused, and in which words.
void refused(const oci_box& box, const std::vector<std::string>& words,
             const std::string& why, int code = 1) {
  const auto said = box.call(words);
  INFO(words.front() << ": " << said.err);
  CHECK(said.exit_code == code);
  CHECK_THAT(said.err, Contains(why));
}

} // namespace

TEST_CASE("troupe-oci refuses in the words that clients match") {
  oci_box box;
  refused(box, {"state", "web"}, "does not exist");
  refused(box, {"start", "web"}, "does not exist");
  refused(box, {"kill", "web", "9"}, "does not exist");
  refused(box, {"delete", "web"}, "does not exist");
  refused(box, {"exec", "web", "true"}, "does not exist", 255);
  CHECK(box.call({"delete", "--force", "web"}).exit_code == 0);
  refused(box, {"state", "../web"}, "container id");
  refused(box, {"create", "--bundle", box.fs.bundle(), "a/b"},
          "invalid container ID format");
  refused(box, {"create", "--bundle", "/nonexistent", "web"},
          "No such file or directory");
  refused(box, {"frobnicate", "web"}, "frobnicate");
  refused(box, {"state"}, "CONTAINER");
  box.create("web");
  refused(box, {"create", "--bundle", box.fs.bundle(), "web"},
          "already exists");
  refused(box, {"delete", "web"},
          "cannot delete container web that is not stopped: created");
  refused(box, {"resume", "web"}, "container not paused");
  REQUIRE(box.call({"start", "web"}).exit_code == 0);
  refused(box, {"start", "web"}, "cannot start an already running container");
  refused(box, {"delete", "web"}, "not stopped: running");
  refused(box, {"kill", "web", "FROB"}, "unknown signal 'FROB'");
  refused(box, {"exec", "web", "frobnicate"},
          "exec: \\\"frobnicate\\\": executable file not found in $PATH", 255);
  refused(box, {"exec", "web", "/bin/frobnicate"}, "no such file or directory",
          255);
  refused(box, {"exec", "web", "/etc/passwd"}, "permission denied", 255);
  REQUIRE(box.call({"kill", "web", "9"}).exit_code == 0);
  box.wait_until_stopped("web");
  refused(box, {"kill", "web", "9"}, "container not running");
  refused(box, {"start", "web"}, "cannot start a container that has stopped");
  refused(box, {"exec", "web", "true"}, "cannot exec in a stopped container",
          255);
  refused(box, {"pause", "web"}, "container not running");
  refused(box, {"update", "--pids-limit", "9", "web"}, "container not running");
  refused(box, {"events", "--stats", "web"}, "not running");
}

TEST_CASE("troupe-oci says why a container cannot be created") {
  oci_box box;
  box.spec.process->args = {"frobnicate"};
  box.write();
  refused(box, {"create", "--bundle", box.fs.bundle(), "web"},
          "troupe-oci create failed: unable to start container process: exec: "
          "\\\"frobnicate\\\": executable file not found in $PATH");
  box.spec.process->args = {"/etc/passwd"};
  box.write();
  refused(box, {"run", "--bundle", box.fs.bundle(), "web"},
          "permission denied");
  box.spec.process->terminal = true;
  box.write();
  refused(box, {"create", "--bundle", box.fs.bundle(), "web"},
          "--console-socket");
  box.write_config("{\"ociVersion\": ");
  refused(box, {"create", "--bundle", box.fs.bundle(), "web"},
          "config.json: line 1");
  box.runs("true");
  refused(box,
          {"--systemd-cgroup", "create", "--bundle", box.fs.bundle(), "web"},
          "--systemd-cgroup: systemd is not the init");
  CHECK(box.leftovers().empty());
}

TEST_CASE("a created container can be killed, and deleted by force") {
  oci_box box;
  box.create("web");
  REQUIRE(box.call({"kill", "web", "KILL"}).exit_code == 0);
  box.wait_until_stopped("web");
  CHECK(box.call({"delete", "web"}).exit_code == 0);
  box.create("web");
  CHECK(box.call({"delete", "-f", "web"}).exit_code == 0);
  CHECK(box.leftovers().empty());
}

TEST_CASE("a container without a program is created and never started") {
  oci_box box;
  box.spec.process.reset();
  box.write();
  box.create("web");
  refused(box, {"start", "web"}, "without process.args");
  CHECK(box.status("web") == "created");
}

TEST_CASE("an error is one JSON object in the log file") {
  oci_box box;
  box.spec.process->args = {"frobnicate"};
  // Worth a warning, too, which must not spoil the file.
  box.spec.process->capabilities->effective.push_back("CAP_FROBNICATE");
  box.write();
  const auto log = box.directory / "log";
  const auto said = box.call({"--log", log, "--log-format=json", "create",
                              "--bundle", box.fs.bundle(), "web"});
  CHECK(said.exit_code == 1);
  CHECK_THAT(said.err, Contains("executable file not found in $PATH"));
  const auto record = nlohmann::json::parse(box.directory.read("log"));
  CHECK(record.at("level") == "error");
  CHECK_THAT(record.at("msg").get<std::string>(),
             Contains("executable file not found in $PATH"));
  CHECK(record.at("time").get<std::string>().size() == 20);
}

TEST_CASE("troupe-oci reads flags as Go's package does") {
  oci_box box;
  CHECK(box.call({"-log-format", "json", "list", "-format=json"}).out
        == "[]\n");
  CHECK(box.call({"checkpoint", "--help"}).exit_code == 0);
  refused(box, {"checkpoint", "--image-path", "/x", "-leave-running", "web"},
          "checkpoint: not supported");
  refused(box, {"restore", "-no-subreaper", "-d", "--bundle", "/x", "web"},
          "restore: not supported");
  CHECK_THAT(box.call({"--version"}).out, Contains("spec: 1.3.0"));
}

TEST_CASE("hooks run where the lifecycle has them, and may ask for the state") {
  oci_box box;
  const auto hook = [&](const std::string& name) {
    const auto script = box.directory / name;
    box.directory.write(name, "#!/bin/sh\ncat >/dev/null\n" + oci_box::program()
                                + " --root " + box.root()
                                + " state web | grep status | sed 's/^/" + name
                                + "/' >>" + box.directory / "trace" + "\n");
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    return oci::hook{script, {}, {"PATH=/usr/bin:/bin"}, {}};
  };
  box.spec.hooks.prestart = {hook("prestart")};
  box.spec.hooks.create_runtime = {hook("createRuntime")};
  box.spec.hooks.poststart = {hook("poststart")};
  box.spec.hooks.poststop = {hook("poststop")};
  box.write();
  box.create("web");
  REQUIRE(box.call({"start", "web"}).exit_code == 0);
  REQUIRE(box.call({"delete", "--force", "web"}).exit_code == 0);
  CHECK(box.directory.read("trace")
        == "prestart  \"status\": \"creating\",\n"
           "createRuntime  \"status\": \"creating\",\n"
           "poststart  \"status\": \"running\",\n"
           "poststop  \"status\": \"stopped\",\n");
}

TEST_CASE("a failing poststart hook stops a container of 1.3, and is a warning "
          "before") {
  oci_box box;
  box.spec.hooks.poststart = {{"/bin/false", {}, {}, {}}};
  SECTION("1.3") {
    box.spec.oci_version = "1.3.0";
    box.write();
    box.create("web");
    refused(box, {"start", "web"}, "/bin/false: exit code 1");
    CHECK(box.leftovers().empty());
  }
  SECTION("1.0") {
    box.spec.oci_version = "1.0.2";
    box.write();
    box.create("web");
    const auto said = box.call({"start", "web"});
    CHECK(said.exit_code == 0);
    CHECK_THAT(said.err, Contains("level=warning"));
    CHECK(box.status("web") == "running");
  }
}

} // namespace troupe::oci_life_test
