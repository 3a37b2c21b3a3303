#include "actors/errors.hpp"
#include "actors/planner.hpp"
#include "actors/planning.hpp"
#include "actors/system_config.hpp"
#include "config/oci/parse.hpp"
#include "config/run_options.hpp"
#include "tests/support/hosts.hpp"
#include "tests/support/scratch_directory.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <sys/capability.h>
#include <sys/stat.h>

namespace troupe::planner_test {

using namespace std::chrono_literals;

namespace {

/// A bundle: what `default_spec` makes of its rootfs.
struct fixture {
  fixture() {
    scratch.write("rootfs/etc/passwd", "root:x:0:0::/:/bin/sh\n"
                                       "dev:x:1000:100::/:/bin/sh\n");
    scratch.write("rootfs/etc/group", "users:x:100:\naudio:x:29:dev\n");
    spec = default_spec("rootfs");
    spec.process->args = {"/bin/true"};
  }

  void install() {
    scratch.write("config.json", oci::to_json(spec).dump());
  }

  /// The request for the bundle.
  msg::compile_launch request(const std::string& options = {}) {
    install();
    return {"web-1", scratch.path(), "", "", options};
  }

  result<msg::compiled_launch> plan(const msg::compile_launch& x) {
    return planning{host}.launch(x);
  }

  std::string refusal(const msg::compile_launch& x) {
    const auto planned = plan(x);
    REQUIRE_FALSE(planned);
    CHECK(planned.error().code == fault::invalid_config);
    return planned.error().what;
  }

  msg::compile_exec exec_in(const msg::compiled_launch& container) {
    msg::compile_exec out;
    out.in = container.plan;
    out.config = *container.config;
    out.session = "3f2a";
    out.what.args = {"/bin/id"};
    return out;
  }

  test::scratch_directory scratch;
  oci::spec spec;
  plan::host_facts host = test::hybrid_host();
};

using Catch::Contains;
using words = std::vector<std::string>;

} // namespace

TEST_CASE_METHOD(fixture, "a bundle becomes a plan", "[planner]") {
  const auto planned = plan(request());
  REQUIRE(planned);
  const auto& plan = *planned->plan;
  CHECK(plan.id == "web-1");
  CHECK(plan.bundle == scratch.path());
  CHECK(plan.rootfs.path == scratch / "rootfs");
  CHECK(plan.process.args == words{"/bin/true"});
  CHECK(oci::parse(*planned->config).value() == spec);
}

TEST_CASE_METHOD(fixture, "a request's spec takes the bundle's place",
                 "[planner]") {
  auto asked = request();
  spec.process->args = {"/bin/other"};
  asked.spec = oci::to_json(spec).dump();
  CHECK(plan(asked).value().plan->process.args == words{"/bin/other"});
}

TEST_CASE_METHOD(fixture, "a rootfs alone runs with the defaults",
                 "[planner]") {
  msg::compile_launch asked;
  asked.id = "web-1";
  asked.rootfs = scratch / "rootfs";
  asked.options = R"({"args":["/bin/sh"]})";
  SECTION("of the spec too") {
    const auto plan = fixture::plan(asked).value().plan;
    CHECK(plan->bundle == scratch / "rootfs");
    CHECK(plan->rootfs.path == scratch / "rootfs");
    CHECK(plan->process.args == words{"/bin/sh"});
    CHECK_FALSE(plan->process.seccomp.program.empty());
  }
  SECTION("or with a spec") {
    spec.hostname = "box";
    asked.spec = oci::to_json(spec).dump();
    const auto plan = fixture::plan(asked).value().plan;
    CHECK(plan->hostname == "box");
    CHECK(plan->rootfs.path == scratch / "rootfs");
  }
}

TEST_CASE_METHOD(fixture, "options are applied to plan and config",
                 "[planner]") {
  const auto planned = plan(
    request(R"({"args":["/bin/id"],"user":"dev","env":["A=b"]})"));
  REQUIRE(planned);
  const auto& process = planned->plan->process;
  CHECK(process.args == words{"/bin/id"});
  CHECK(process.uid == 1000);
  CHECK(process.gid == 100);
  CHECK(process.groups == std::vector<std::uint32_t>{29});
  CHECK(std::ranges::count(process.env, "A=b") == 1);
  const auto config = oci::parse(*planned->config).value();
  CHECK(config.process->user.uid == 1000);
  CHECK(config.process->user.additional_gids == std::vector<std::uint32_t>{29});
}

TEST_CASE_METHOD(fixture, "what is wrong with a request is said by its pointer",
                 "[planner]") {
  auto asked = request();
  struct row {
    std::function<void()> spoil;
    std::string complaint;
  };
  const std::vector<row> rows{
    {[&] { asked.bundle.clear(); },
     "/bundle: expected either bundle or rootfs, found neither"},
    {[&] { asked.rootfs = "/srv"; },
     "/bundle: expected either bundle or rootfs, found both"},
    {[&] { asked.bundle = "srv/web"; },
     "/bundle: expected an absolute path, found 'srv/web'"},
    {[&] { asked.bundle = scratch / "no"; },
     "/bundle: open " + (scratch / "no") + ": ENOENT"},
    {[&] { asked.bundle = scratch / "config.json"; },
     "/bundle: open " + (scratch / "config.json") + ": ENOTDIR"},
    {[&] {
       asked.bundle.clear();
       asked.rootfs = scratch / "absent";
     },
     "/rootfs: open " + (scratch / "absent") + ": ENOENT"},
    {[&] { asked.bundle = scratch / "rootfs"; },
     "/bundle: open " + (scratch / "rootfs/config.json") + ": ENOENT"},
    {[&] { scratch.write("config.json", "{"); }, "line 1, column 2"},
    {[&] { scratch.write("config.json", R"({"ociVersion":7})"); },
     "/ociVersion: expected a string, found 7"},
    {[&] {
       spec.root->path = "nothing";
       install();
     },
     "/root/path: open " + (scratch / "nothing") + ": ENOENT"},
    {[&] {
       spec.root->path = "config.json";
       install();
     },
     "/root/path: open " + (scratch / "config.json") + ": ENOTDIR"},
    {[&] { asked.spec = "[]"; }, "expected an object, found array"},
    {[&] { asked.options = "{"; }, "/options: line 1"},
    {[&] { asked.options = R"({"memroy":1})"; }, "/options/memroy: expected"},
    {[&] { asked.options = R"({"user":"bob"})"; },
     "/options/user: expected a user of /etc/passwd or a number, found 'bob'"},
  };
  for (const auto& each : rows) {
    asked = request();
    each.spoil();
    CHECK_THAT(refusal(asked), Contains(each.complaint));
    spec.root->path = "rootfs";
  }
}

TEST_CASE_METHOD(fixture, "a config.json that is no file does not block",
                 "[planner]") {
  REQUIRE(::mkfifo((scratch / "config.json").c_str(), 0600) == 0);
  msg::compile_launch asked;
  asked.id = "web-1";
  asked.bundle = scratch.path();
  CHECK_THAT(refusal(asked), Contains("expected a regular file"));
}

TEST_CASE_METHOD(fixture, "users are those of the rootfs, never the host's",
                 "[planner]") {
  scratch.write("host/passwd", "outer:x:5:5::/:\n");
  std::filesystem::remove(scratch / "rootfs/etc/passwd");
  std::filesystem::create_symlink("../../host/passwd",
                                  scratch / "rootfs/etc/passwd");
  CHECK_THAT(refusal(request(R"({"user":"outer"})")), Contains("'outer'"));
  scratch.write("rootfs/host/passwd", "outer:x:6:6::/:\n");
  CHECK(plan(request(R"({"user":"outer"})")).value().plan->process.uid == 6);
}

TEST_CASE_METHOD(fixture, "an exec session starts from its container",
                 "[planner]") {
  spec.process->env = {"PATH=/bin", "A=1"};
  spec.process->cwd = "/srv";
  spec.process->terminal = true;
  const auto container = plan(request()).value();
  auto asked = exec_in(container);
  SECTION("with nothing but a command") {
    const auto plan = planning{host}.exec(asked).value().plan;
    CHECK(plan->id == "web-1");
    CHECK(plan->session == "3f2a");
    CHECK(plan->process.args == words{"/bin/id"});
    CHECK(plan->process.env == words{"PATH=/bin", "A=1"});
    CHECK(plan->process.cwd == "/srv");
    CHECK_FALSE(plan->process.terminal);
    CHECK(plan->process.capabilities == container.plan->process.capabilities);
    CHECK(plan->process.seccomp == container.plan->process.seccomp);
  }
  SECTION("with everything of its own") {
    asked.what.env = {"A=2", "B=3"};
    asked.what.cwd = "/tmp";
    asked.what.user = "dev";
    asked.what.cap_add = {"net_admin"};
    const auto process = planning{host}.exec(asked).value().plan->process;
    CHECK(process.env == words{"PATH=/bin", "A=2", "B=3"});
    CHECK(process.cwd == "/tmp");
    CHECK(process.uid == 1000);
    CHECK(process.groups == std::vector<std::uint32_t>{29});
    CHECK((process.capabilities.bounding & 1ULL << CAP_NET_ADMIN) != 0);
  }
}

TEST_CASE_METHOD(fixture, "an exec request's mistakes have its own pointers",
                 "[planner]") {
  const auto container = plan(request()).value();
  const auto refusal = [&](const std::function<void(msg::compile_exec&)>& x) {
    auto asked = exec_in(container);
    x(asked);
    const auto planned = planning{host}.exec(asked);
    REQUIRE_FALSE(planned);
    CHECK(planned.error().code == fault::invalid_config);
    return planned.error().what;
  };
  CHECK_THAT(refusal([](auto& x) { x.what.args.clear(); }),
             Catch::StartsWith("/args: "));
  CHECK_THAT(refusal([](auto& x) { x.what.user = "bob"; }),
             Catch::StartsWith("/user: expected"));
  CHECK_THAT(refusal([](auto& x) { x.what.cwd = "tmp"; }),
             Catch::StartsWith("/cwd: "));
  CHECK_THAT(refusal([](auto& x) { x.what.env = {"novalue"}; }),
             Catch::StartsWith("/env/0: "));
  CHECK_THAT(refusal([](auto& x) { x.what.cap_add = {"CAP_NONE"}; }),
             Catch::StartsWith("/cap_add/0: "));
}

TEST_CASE_METHOD(fixture, "the planner answers, and goes on after a refusal",
                 "[planner]") {
  system_config config;
  caf::actor_system system{config};
  const caf::scoped_actor self{system};
  const auto planner = spawn_planner(system, host);
  auto bad = request();
  bad.bundle = "nowhere";
  self->request(planner, 60s, bad)
    .receive([](const msg::compiled_launch&) { FAIL("expected a refusal"); },
             [](const caf::error& x) {
               CHECK(from_caf(x).code == fault::invalid_config);
             });
  msg::compiled_launch made;
  self->request(planner, 60s, request())
    .receive([&](const msg::compiled_launch& x) { made = x; },
             [&](const caf::error& x) { FAIL(system.render(x)); });
  self->request(planner, 60s, exec_in(made))
    .receive(
      [](const msg::compiled_exec& x) { CHECK(x.plan->session == "3f2a"); },
      [&](const caf::error& x) { FAIL(system.render(x)); });
  self->send_exit(planner, caf::exit_reason::normal);
  self->wait_for(planner);
}

} // namespace troupe::planner_test
