#include "programs/troupe-oci/log.hpp"
#include "programs/troupe-oci/words.hpp"
#include "runtime/launch/progress.hpp"
#include "runtime/oci/ps.hpp"
#include "runtime/oci/wording.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cerrno>

namespace troupe::oci_cli_test {

namespace {

using words = std::vector<std::string>;

/// troupe-oci's shape, on a small scale.
struct small_app {
  CLI::App app{"", "small"};
  std::string text;
  bool flag = false;

  small_app() {
    app.add_option("--root", text);
    auto* kill = app.add_subcommand("kill");
    kill->add_flag("-a,--all", flag);
    kill->add_option("ID", text);
    auto* exec = app.add_subcommand("exec");
    exec->add_flag("-t,--tty", flag);
    exec->add_option("--swap", text);
    exec->add_option("ID", text);
  }

  [[nodiscard]] oci_cli::command_line operator()(const words& in) const {
    return oci_cli::prepare(app, in);
  }
};

} // namespace

TEST_CASE("long flags with one dash get their second") {
  const small_app prepared;
  CHECK(prepared({"-root", "/r", "kill", "-all", "web", "9"}).words
        == words{"--root", "/r", "kill", "--all", "web", "9"});
  CHECK(prepared({"-root=/r", "kill", "-a", "web"}).words
        == words{"--root=/r", "kill", "-a", "web"});
  CHECK(prepared({"kill", "web", "-all"}).words
        == words{"kill", "web", "--all"});
}

TEST_CASE("what follows exec's container is not ours") {
  const small_app prepared;
  const auto line = prepared({"exec", "-t", "web", "ls", "-tty", "--", "-a"});
  CHECK(line.words == words{"exec", "-t", "web"});
  CHECK(line.rest == words{"ls", "-tty", "--", "-a"});
  CHECK(prepared({"exec", "web", "--", "ls"}).rest == words{"ls"});
  CHECK(prepared({"exec", "web"}).rest.empty());
}

TEST_CASE("a value that looks like a flag is a value") {
  const small_app prepared;
  CHECK(prepared({"exec", "--swap", "-1", "web"}).words
        == words{"exec", "--swap=-1", "web"});
}

TEST_CASE("unknown words are left for the parser to refuse") {
  const small_app prepared;
  CHECK(prepared({}).words.empty());
  CHECK(prepared({"frob", "--x"}).words == words{"frob"});
  CHECK(prepared({"frob", "--x"}).unknown == "frob");
  CHECK(prepared({"kill", "--frob"}).words == words{"kill", "--frob"});
}

TEST_CASE("a log record is text as logrus has it, or one JSON object") {
  CHECK(oci_cli::record("error", "a \"b\"\n\x01", "T", false)
        == "time=\"T\" level=error msg=\"a \\\"b\\\"\\n\\x01\"\n");
  const auto json = oci_cli::record("error", "a \"b\" \xff", "T", true);
  CHECK(nlohmann::json::parse(json)
        == nlohmann::json{
          {"level", "error"}, {"msg", "a \"b\" \xef\xbf\xbd"}, {"time", "T"}});
}

namespace {

std::string worded(plan::phase phase, int os_errno, const std::string& subject,
                   const std::string& program) {
  plan::process process;
  process.args = {program};
  const auto report = launch::make_report(
    launch::report_kind::failed, {phase, 0}, {fault::os, os_errno, subject});
  return oci_runtime::to_failure(report, process, nullptr).what;
}

} // namespace

TEST_CASE("a failed exec is said in the words that podman matches") {
  using enum plan::phase;
  const std::string begin = "unable to start container process: ";
  CHECK(worded(exec, ENOENT, "find on PATH top", "top")
        == begin + R"(exec: "top": executable file not found in $PATH)");
  CHECK(worded(exec, ENOENT, "find /top", "/top")
        == begin + R"(exec: "/top": stat /top: no such file or directory)");
  CHECK(worded(exec, EACCES, "find /top", "/top")
        == begin + R"(exec: "/top": permission denied)");
  CHECK(
    worded(exec, ENOEXEC, "execve /top: ENOEXEC (Exec format error)", "/top")
    == begin + "exec /top: exec format error");
  CHECK(worded(mount, EPERM, "fsmount: EPERM (Operation not permitted)", "top")
        == begin + "mount: fsmount: EPERM (Operation not permitted)");
}

TEST_CASE("ps keeps the heading and the lines of the container's processes") {
  const auto* table = "USER   PID CMD\nroot     7 a 8\nroot     8 b\n";
  CHECK(oci_runtime::lines_of(table, {8}).value()
        == "USER   PID CMD\nroot     8 b\n");
  CHECK(oci_runtime::lines_of(table, {}).value() == "USER   PID CMD\n");
  CHECK_FALSE(oci_runtime::lines_of("CMD\na\n", {8}));
  CHECK_FALSE(oci_runtime::lines_of("", {8}));
  CHECK(oci_runtime::pids_json({7, 8}) == "[7,8]\n");
  CHECK(oci_runtime::pids_json({}) == "[]\n");
}

} // namespace troupe::oci_cli_test
