// What one start costs in system calls, counted: a regression shows here
// without the noise of a clock. Who makes it cheaper lowers the budget.

#include "tests/support/http_client.hpp"
#include "tests/support/oci_box.hpp"
#include "tests/support/shim_client.hpp"
#include "tests/support/supervisor.hpp"
#include "tests/support/syscall_count.hpp"

#include <csignal>

namespace troupe::start_budget_test {

using test::budget;

namespace {

const std::vector<std::string> mount_calls{
  "fsopen",    "fsconfig", "fsmount",       "fspick",  "move_mount",
  "open_tree", "mount",    "mount_setattr", "umount2", "pivot_root"};
const std::vector<std::string> opening{"open", "openat", "openat2"};
const std::vector<std::string> processes{"clone", "clone3", "fork",
                                         "vfork", "execve", "execveat"};
const std::vector<std::string> directories{"mkdir",    "mkdirat", "rmdir",
                                           "unlinkat", "rename",  "renameat"};

// Measured on a host with ten cgroup hierarchies, and five percent above.
const std::vector<budget> oci_run_budgets{
  {"all of troupe-oci run", {}, 1142},
  {"mounts", mount_calls, 119},
  {"opening files", opening, 148},
  {"writes", {"write", "pwrite64"}, 35},
  {"processes", processes, 6},
  {"directories and names", directories, 80},
};

const std::vector<budget> api_budgets{
  {"all of an API start, with its launcher and the next spare", {}, 1068},
  {"mounts", mount_calls, 112},
  {"opening files", opening, 131},
  {"writes", {"write", "pwrite64"}, 69},
  {"processes", processes, 3},
  {"directories and names", directories, 52},
  // Who waits for whom depends on the machine: a wide bound.
  {"waking threads", {"futex"}, 380},
};

/// A bundle of /bin/true with docker's defaults.
class true_bundle : public test::oci_box {
public:
  true_bundle() {
    const auto cgroup = spec.linux_.cgroups_path;
    spec = default_spec(fs.path());
    spec.linux_.cgroups_path = cgroup;
    spec.process->args = {"/bin/true"};
    write();
  }
};

std::vector<std::string> strace(const std::string& output) {
  return {"strace", "-f", "-c", "-U", "calls,name", "-o", output};
}

/// The shim's forker and its first spare.
std::vector<std::string> helpers_of(const std::string& shim) {
  const auto list = "/proc/" + shim + "/task/" + shim + "/children";
  std::string forker;
  std::string spare;
  REQUIRE(test::eventually([&] {
    std::istringstream children{test::file_content(list)};
    return bool{children >> forker >> spare};
  }));
  return {forker, spare};
}

/// Create, start, wait and delete over an open connection.
void start_one(test::http_client& api, const std::string& id,
               const std::string& bundle) {
  const auto made = api.ask(
    "POST", "/v1/containers",
    nlohmann::json{{"id", id}, {"bundle", bundle}}.dump());
  INFO(made.body);
  REQUIRE(made.status == 201);
  REQUIRE(api.ask("POST", "/v1/containers/" + id + "/start").status == 200);
  REQUIRE(api.ask("GET", "/v1/containers/" + id + "/wait").status == 200);
  REQUIRE(api.ask("DELETE", "/v1/containers/" + id).status == 200);
}

} // namespace

TEST_CASE("troupe-oci run keeps to its budget of system calls") {
  const true_bundle box;
  auto argv = strace(box.directory / "counts");
  argv.insert(argv.end(), {box.program(), "--root", box.root(), "run",
                           "--bundle", box.fs.bundle(), "web"});
  const auto done = test::run(argv);
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  const auto counts = test::parse_counts(box.directory.read("counts"), 1);
  for (const auto& each : oci_run_budgets)
    test::check_budget(counts, each);
}

TEST_CASE("a start over the API keeps to its budget of system calls") {
  constexpr auto starts = 10;
  const true_bundle box;
  test::supervisor host;
  host.start();
  const auto info = host.troupe_json({"info", "--format", "json"});
  test::http_client api{host.socket()};
  start_one(api, "warm", box.fs.bundle());
  auto argv = strace(box.directory / "counts");
  const auto shim = std::to_string(info.value("shim_pid", 0));
  std::vector pids{std::to_string(info.value("pid", 0)), shim};
  for (const auto& each : helpers_of(shim))
    pids.push_back(each);
  for (const auto& pid : pids)
    argv.insert(argv.end(), {"-p", pid});
  test::background counting{argv};
  for (const auto& pid : pids)
    REQUIRE(counting.wait_for_output("Process " + pid + " attached"));
  for (auto i = 0; i < starts; ++i)
    start_one(api, "counted-" + std::to_string(i), box.fs.bundle());
  counting.signal(SIGINT);
  REQUIRE(counting.wait() == 128 + SIGINT);
  const auto counts = test::parse_counts(box.directory.read("counts"), starts);
  for (const auto& each : api_budgets)
    test::check_budget(counts, each);
  CHECK(host.finish() == std::vector<std::string>{});
}

} // namespace troupe::start_budget_test
