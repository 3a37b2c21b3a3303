#include "config/oci/parse.hpp"
#include "runtime/compile/compile.hpp"
#include "runtime/compile/explain.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/hosts.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>
#include <sys/mount.h>

namespace troupe::explain_test {

using namespace troupe::plan;

namespace {

launch_plan plan_of(const std::string& name) {
  const auto file = test::golden_dir() / "plans" / (name + ".json");
  const auto spec = oci::parse(std::string_view{test::content(file)});
  if (!spec)
    FAIL(spec.error().what);
  const auto plan = compile(*spec, test::hybrid_host(), "web-1", "/srv/bundle");
  if (!plan)
    FAIL(plan.error().what);
  return *plan;
}

/// The phases in the order in which they first appear.
std::vector<std::string> order_of(const launch_plan& plan) {
  std::vector<std::string> out;
  for (const auto& x : explain(plan))
    if (std::ranges::find(out, x.phase) == out.end())
      out.push_back(x.phase);
  return out;
}

std::string sentence(const launch_plan& plan, phase in) {
  for (const auto& x : explain(plan))
    if (x.phase == to_string(in))
      return x.what;
  return {};
}

std::string mount_sentence(const plan::mount& x) {
  launch_plan plan;
  plan.rootfs.mounts = {x};
  return sentence(plan, phase::mount);
}

} // namespace

TEST_CASE("plans read as the golden files say") {
  const auto* const name = GENERATE("minimal", "default", "privileged",
                                    "user_namespace");
  test::check_golden(test::golden_dir() / "plans"
                       / (std::string{name} + ".txt"),
                     explain_table(plan_of(name)));
}

TEST_CASE("steps come in the order of execution") {
  CHECK(order_of(plan_of("default"))
        == std::vector<std::string>{"prepare",
                                    "cgroup_create",
                                    "cgroup_write",
                                    "clone",
                                    "oom_score_adj",
                                    "cgroup_place",
                                    "loopback",
                                    "hostname",
                                    "rootfs",
                                    "mount",
                                    "device",
                                    "symlink",
                                    "console",
                                    "hook_prestart",
                                    "hook_create_runtime",
                                    "hook_create_container",
                                    "pivot_root",
                                    "sysctl",
                                    "masked_path",
                                    "readonly_path",
                                    "readonly_root",
                                    "created",
                                    "hook_start_container",
                                    "keyring",
                                    "rlimit",
                                    "user",
                                    "cwd",
                                    "capabilities",
                                    "seccomp",
                                    "exec",
                                    "hook_poststart",
                                    "hook_poststop"});
}

TEST_CASE("namespaces are joined before others are made and mapped") {
  const auto order = order_of(plan_of("user_namespace"));
  const auto at = [&](const char* phase) {
    return std::ranges::find(order, phase) - order.begin();
  };
  CHECK(at("join_namespace") < at("clone"));
  CHECK(at("clone") < at("id_map"));
  CHECK(at("id_map") < at("cgroup_place"));
}

TEST_CASE("without no_new_privs the filter comes before the capabilities go") {
  const auto order = order_of(plan_of("user_namespace"));
  CHECK(std::ranges::find(order, "seccomp")
        < std::ranges::find(order, "capabilities"));
}

TEST_CASE("steps are numbered from one without gaps") {
  const auto steps = explain(plan_of("default"));
  REQUIRE_FALSE(steps.empty());
  for (std::size_t i = 0; i != steps.size(); ++i)
    CHECK(steps[i].number == i + 1);
}

TEST_CASE("where a step happens is one of four places") {
  for (const auto& x : explain(plan_of("default"))) {
    INFO(x.what);
    CHECK((x.where == "host" || x.where == "parent" || x.where == "init"
           || x.where == "container"));
  }
}

TEST_CASE("environment values are never shown") {
  const auto plan = plan_of("default");
  for (const auto& text : {explain_table(plan), explain_json(plan)}) {
    CHECK(text.find("hunter2") == std::string::npos);
    CHECK(text.find("SECRET=1") == std::string::npos);
    CHECK(text.find("TOKEN=…") != std::string::npos);
    CHECK(text.find("SECRET=…") != std::string::npos);
  }
}

TEST_CASE("the JSON form has the same steps") {
  const auto plan = plan_of("default");
  const auto steps = explain(plan);
  const auto document = nlohmann::json::parse(explain_json(plan));
  REQUIRE(document.size() == steps.size());
  for (std::size_t i = 0; i != steps.size(); ++i) {
    CHECK(document[i].at("number") == steps[i].number);
    CHECK(document[i].at("phase") == steps[i].phase);
    CHECK(document[i].at("what") == steps[i].what);
    CHECK(document[i].at("origin") == steps[i].origin);
    CHECK(document[i].at("where") == steps[i].where);
  }
}

TEST_CASE("paths of any bytes can be explained") {
  launch_plan plan;
  plan.rootfs.masked = {{"/\xff\x1b[2J\n", "/linux/maskedPaths/0"}};
  CHECK(nlohmann::json::accept(explain_json(plan)));
  const auto table = explain_table(plan);
  CHECK(table.find('\x1b') == std::string::npos);
  CHECK(table.find("\\x1b[2J\\x0a") != std::string::npos);
}

TEST_CASE("the columns of the table are aligned") {
  std::istringstream lines{explain_table(plan_of("default"))};
  std::string header;
  REQUIRE(std::getline(lines, header));
  const auto last = header.find("WHAT");
  REQUIRE(last != std::string::npos);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("warning: "))
      continue;
    INFO(line);
    REQUIRE(line.size() > last);
    CHECK(line.substr(last - 2, 2) == "  ");
    CHECK(line[last] != ' ');
  }
}

TEST_CASE("warnings stand below the table") {
  launch_plan plan;
  plan.warnings = {"/process/capabilities: CAP_X is unknown, dropped"};
  const auto table = explain_table(plan);
  CHECK(table.ends_with(
    "\nwarning: /process/capabilities: CAP_X is unknown, dropped\n"));
}

TEST_CASE("mounts are told in the words of config.json") {
  plan::mount x;
  x.type = "proc";
  x.source = "proc";
  x.target = "/proc";
  CHECK(mount_sentence(x) == "mount proc on /proc");
  x.kind = mount_kind::bind;
  x.source = "/a";
  x.target = "/b";
  x.recursive = true;
  x.propagation = MS_SLAVE;
  x.propagation_recursive = true;
  CHECK(mount_sentence(x) == "bind /a on /b (rbind,rslave)");
}

TEST_CASE("words with spaces and empty words are quoted in a command line") {
  launch_plan plan;
  plan.process.args = {"sh", "-c", "a b", ""};
  CHECK(sentence(plan, phase::exec) == "execute sh -c 'a b' ''");
}

TEST_CASE("equal capability sets are told once") {
  launch_plan plan;
  plan.process.args = {"true"};
  auto& sets = plan.process.capabilities;
  sets.set = true;
  sets.bounding = sets.permitted = sets.effective = 0b100001;
  CHECK(sentence(plan, phase::capabilities)
        == "bounding, permitted, effective: CAP_CHOWN, CAP_KILL; inheritable, "
           "ambient: none");
}

TEST_CASE("attributes are told in the words of config.json") {
  launch_plan plan;
  plan.process.args = {"true"};
  auto& x = plan.process.attributes;
  x.scheduler = {true, 1, 0, 9, 0, 0, 0, 0};
  x.io_priority = 2 << 13 | 5;
  x.final_cpus = {0, 1, 2, 7};
  x.set_personality = true;
  x.personality = 8;
  x.memory_policy = {true, 2 | 1 << 15, {0, 1}};
  x.apparmor_profile = "docker-default";
  x.keyring = "_ses.web-1";
  CHECK(sentence(plan, phase::scheduler)
        == "schedule as SCHED_FIFO, nice 0, priority 9");
  CHECK(sentence(plan, phase::io_priority)
        == "I/O priority IOPRIO_CLASS_BE, level 5");
  CHECK(sentence(plan, phase::cpu_affinity) == "run on CPUs 0-2,7");
  CHECK(sentence(plan, phase::personality) == "personality LINUX32");
  CHECK(sentence(plan, phase::memory_policy)
        == "take memory by MPOL_BIND, MPOL_F_STATIC_NODES from nodes 0-1");
  CHECK(sentence(plan, phase::label)
        == "execute under AppArmor profile docker-default");
  CHECK(sentence(plan, phase::keyring) == "join session keyring _ses.web-1");
}

TEST_CASE("a listener is connected on the host and served at the start") {
  launch_plan plan;
  plan.process.args = {"true"};
  plan.process.seccomp.program.assign(16, 0);
  plan.process.seccomp.listener_path = "/run/agent.sock";
  std::vector<std::string> said;
  for (const auto& step : explain(plan))
    if (step.origin == "/linux/seccomp/listenerPath")
      said.push_back(step.where + ": " + step.what);
  CHECK(said
        == std::vector<std::string>{
          "host: connect to the listener /run/agent.sock",
          "container: hand its notifications to /run/agent.sock"});
}

TEST_CASE("a plan without a process ends with the wait for start") {
  launch_plan plan;
  plan.process.args.clear();
  const auto order = order_of(plan);
  CHECK(std::ranges::find(order, "created") != order.end());
  CHECK(std::ranges::find(order, "exec") == order.end());
}

} // namespace troupe::explain_test
