#include "config/run_options.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace troupe::run_options_test {

using nlohmann::json;

namespace {

oci::spec applied(const run_options& options) {
  auto spec = default_spec("/rootfs");
  const auto done = apply(options, spec);
  CAPTURE(done ? "" : done.error().what);
  REQUIRE(done);
  return spec;
}

std::string complaint(const run_options& options) {
  auto spec = default_spec("/rootfs");
  const auto done = apply(options, spec);
  return done ? "" : done.error().what;
}

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

bool has(const oci::spec& spec, oci::namespace_kind kind) {
  return std::ranges::find(spec.linux_.namespaces, kind,
                           &oci::namespace_entry::kind)
         != spec.linux_.namespaces.end();
}

run_options full_options() {
  run_options x;
  x.args = {"sh", "-c", "true"};
  x.env = {"A=1"};
  x.cwd = "/tmp";
  x.user = "1:2";
  x.volumes = {"/a:/b:ro"};
  x.hostname = "box";
  x.memory = 1 << 20;
  x.cpus = 1.5;
  x.pids_limit = 10;
  x.cap_add = {"NET_ADMIN"};
  x.cap_drop = {"CAP_CHOWN"};
  x.read_only = true;
  x.network = "host";
  return x;
}

} // namespace

// -- as JSON ------------------------------------------------------------------

TEST_CASE("run options survive the way through JSON") {
  for (const auto& options : {run_options{}, full_options()}) {
    const json document = options;
    CHECK(parse_run_options(json::parse(document.dump())).value() == options);
  }
  CHECK(json(run_options{}) == json::object());
}

TEST_CASE("bad run options are refused below /options") {
  struct row {
    const char* text;
    const char* what;
  };
  const std::vector<row> rows{
    {"[]", "/options: expected an object, found array"},
    {R"({"args": ["a", 7]})", "/options/args/1: expected a string, found 7"},
    {R"({"memory": "64m"})",
     "/options/memory: expected an integer from -9223372036854775808 to "
     "9223372036854775807, found string"},
    {R"({"cpus": "1"})", "/options/cpus: expected a number, found string"},
    {R"({"read_only": 1})",
     "/options/read_only: expected true or false, found 1"},
  };
  for (const auto& [text, what] : rows)
    CHECK(parse_run_options(json::parse(text)).error().what == what);
  CHECK_THAT(parse_run_options(json::parse(R"({"pids": 1})")).error().what,
             Catch::StartsWith("/options/pids: expected one of args, env, "));
}

// -- apply --------------------------------------------------------------------

TEST_CASE("no options change nothing") {
  CHECK(applied({}) == default_spec("/rootfs"));
}

TEST_CASE("command, directory and environment are applied") {
  const auto spec = applied({.args = {"a", "b"},
                             .env = {"X=1", "PATH=/x", "X=2", "E="},
                             .cwd = "/tmp"});
  CHECK(spec.process->args == std::vector<std::string>{"a", "b"});
  CHECK(spec.process->cwd == "/tmp");
  CHECK(spec.process->env == std::vector<std::string>{"PATH=/x", "X=2", "E="});
  CHECK(complaint({.cwd = "tmp"})
        == "/options/cwd: expected an absolute path, found 'tmp'");
  CHECK(complaint({.env = {"A=1", "B"}})
        == "/options/env/1: expected NAME=value, found no '='");
  CHECK(complaint({.env = {"=1"}})
        == "/options/env/0: expected NAME=value, found no name");
}

TEST_CASE("a user is numeric, ranged, and never becomes root by mistake",
          "[rule-8]") {
  CHECK(applied({.user = "7"}).process->user == oci::user{7, 0, {}, {}});
  CHECK(applied({.user = "7:8"}).process->user == oci::user{7, 8, {}, {}});
  CHECK(applied({.user = "0:0"}).process->user == oci::user{0, 0, {}, {}});
  auto spec = default_spec("/");
  spec.process->user = {5, 6, 077, {1, 2}};
  REQUIRE(apply({.user = "7"}, spec));
  CHECK(spec.process->user == oci::user{7, 6, 077, {}});
  for (const auto* bad :
       {"root", "-1", "1:", ":1", "1:2:3", "4294967295", "4294967296", "1 ",
        "0x1", "1:wheel", "99999999999999999999", "+1"}) {
    CHECK(complaint({.user = bad})
          == "/options/user: expected uid or uid:gid, each from 0 to "
             "4294967294, found '"
               + std::string{bad} + "'");
  }
}

TEST_CASE("volumes become recursive, private binds") {
  struct row {
    const char* volume;
    std::vector<std::string> options;
  };
  const std::vector<row> rows{
    {"/a:/b", {"rbind", "rprivate"}},
    {"/a:/b:ro", {"rbind", "rro", "rprivate"}},
    {"/a:/b:rw,rshared", {"rbind", "rw", "rshared"}},
    {"/a:/b:bind,ro,noexec", {"bind", "rro", "noexec", "rprivate"}},
  };
  for (const auto& [volume, options] : rows)
    CHECK(applied({.volumes = {volume}}).mounts.back()
          == oci::mount{"/b", "bind", "/a", options, {}, {}});
  for (const auto* bad : {"/a", "a:/b", "/a:b", "/a:/b:ro:rw", "/a:/", "", ":",
                          "/a:/b:", "/a:/b:z"})
    CHECK_THAT(complaint({.volumes = {bad}}),
               Catch::StartsWith("/options/volumes/0: expected "));
}

TEST_CASE("a volume replaces the mount of the same destination") {
  const auto before = default_spec("/").mounts.size();
  const auto spec = applied({.volumes = {"/a:/dev/shm"}});
  CHECK(spec.mounts.size() == before);
  CHECK(std::ranges::count(spec.mounts, "/dev/shm", &oci::mount::destination)
        == 1);
  CHECK(spec.mounts.back().source == "/a");
}

TEST_CASE("limits are applied and ranged") {
  const auto spec = applied(
    {.memory = 64 << 20, .cpus = 1.5, .pids_limit = 100});
  CHECK(spec.linux_.resources->memory->limit == 64 << 20);
  CHECK(spec.linux_.resources->cpu->period == 100'000);
  CHECK(spec.linux_.resources->cpu->quota == 150'000);
  CHECK(spec.linux_.resources->pids_limit == 100);
  CHECK(applied({.cpus = 0.01}).linux_.resources->cpu->quota == 1000);
  CHECK(complaint({.memory = -1}) == "");
  CHECK_THAT(complaint({.memory = 0}), Catch::StartsWith("/options/memory: "));
  CHECK_THAT(complaint({.cpus = 0}), Catch::StartsWith("/options/cpus: "));
  CHECK_THAT(complaint({.cpus = -1}), Catch::StartsWith("/options/cpus: "));
  CHECK_THAT(complaint({.cpus = std::numeric_limits<double>::quiet_NaN()}),
             Catch::StartsWith("/options/cpus: "));
  CHECK_THAT(complaint({.pids_limit = 4194305}),
             Catch::StartsWith("/options/pids_limit: "));
}

TEST_CASE("capabilities are added and dropped as docker does") {
  const auto bounding = [](const run_options& options) {
    return applied(options).process->capabilities->bounding;
  };
  CHECK(bounding({.cap_add = {"net_admin"}}).size() == 15);
  CHECK(has(bounding({.cap_add = {"net_admin"}}), "CAP_NET_ADMIN"));
  CHECK(bounding({.cap_add = {"CAP_CHOWN"}}).size() == 14);
  CHECK(bounding({.cap_drop = {"CHOWN"}}).size() == 13);
  CHECK(bounding({.cap_add = {"ALL"}}).size() == 41);
  CHECK(bounding({.cap_drop = {"all"}}).empty());
  CHECK(bounding({.cap_add = {"KILL"}, .cap_drop = {"ALL"}})
        == std::vector<std::string>{"CAP_KILL"});
  const auto most = bounding({.cap_add = {"ALL"}, .cap_drop = {"SYS_ADMIN"}});
  CHECK(most.size() == 40);
  CHECK_FALSE(has(most, "CAP_SYS_ADMIN"));
  const auto sets = *applied({.cap_drop = {"KILL"}}).process->capabilities;
  CHECK(sets.effective == sets.bounding);
  CHECK(sets.permitted == sets.bounding);
  CHECK(complaint({.cap_add = {"KILL", "FLY"}})
        == "/options/cap_add/1: expected a name of capabilities(7) or ALL, "
           "found 'FLY'");
}

TEST_CASE("dropping a capability takes it out of every set") {
  auto spec = default_spec("/");
  spec.process->capabilities->inheritable = {"CAP_KILL", "CAP_CHOWN"};
  spec.process->capabilities->ambient = {"CAP_KILL", "CAP_CHOWN"};
  REQUIRE(apply({.cap_drop = {"KILL"}}, spec));
  CHECK(spec.process->capabilities->inheritable
        == std::vector<std::string>{"CAP_CHOWN"});
  CHECK(spec.process->capabilities->ambient
        == std::vector<std::string>{"CAP_CHOWN"});
  spec.process->capabilities.reset();
  REQUIRE(apply({.cap_drop = {"KILL"}}, spec));
  CHECK(spec.process->capabilities->bounding.size() == 40);
}

TEST_CASE("the network is the spec's, none, or the host's") {
  using enum oci::namespace_kind;
  CHECK(has(applied({.network = "none"}), network));
  CHECK_FALSE(has(applied({.network = "host"}), network));
  auto spec = default_spec("/");
  for (auto& each : spec.linux_.namespaces)
    if (each.kind == network)
      each.path = "/run/netns/a";
  REQUIRE(apply({.network = "none"}, spec));
  CHECK(std::ranges::find(spec.linux_.namespaces, network,
                          &oci::namespace_entry::kind)
          ->path.empty());
  CHECK(complaint({.network = "bridge"})
        == "/options/network: expected none or host, found 'bridge'");
}

TEST_CASE("sysfs is bound for a user namespace on the host's network") {
  auto spec = default_spec("/");
  spec.linux_.namespaces.push_back({oci::namespace_kind::user, ""});
  REQUIRE(apply({.network = "host"}, spec));
  const auto sys = std::ranges::find(spec.mounts, "/sys",
                                     &oci::mount::destination);
  REQUIRE(sys != spec.mounts.end());
  CHECK(sys->type == "bind");
  CHECK(has(sys->options, "rro"));
}

TEST_CASE("host name and read-only root are applied") {
  CHECK(applied({.hostname = "box"}).hostname == "box");
  CHECK(applied({.read_only = true}).root->readonly);
  CHECK_THAT(complaint({.hostname = std::string(65, 'x')}),
             Catch::StartsWith("/options/hostname: expected at most 64 "));
  auto spec = default_spec("/");
  std::erase_if(spec.linux_.namespaces, [](const auto& each) {
    return each.kind == oci::namespace_kind::uts;
  });
  CHECK_THAT(apply({.hostname = "box"}, spec).error().what,
             Catch::StartsWith("/options/hostname: expected a uts namespace"));
}

TEST_CASE("options apply to a spec without process, but not without root") {
  oci::spec spec;
  CHECK(apply({}, spec).error().what
        == "/root: expected an object, found nothing");
  spec.root = oci::root{"rootfs", false};
  REQUIRE(apply({.args = {"true"}}, spec));
  CHECK(spec.process->cwd == "/");
}

} // namespace troupe::run_options_test
