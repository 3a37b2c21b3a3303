#include "tests/support/attacker.hpp"
#include "tests/support/oci_box.hpp"
#include "tests/support/repeats.hpp"
#include "tests/support/shim_box.hpp"

// A container attacks the processes that join it: CVE-2016-9962 (what they
// hold), CVE-2019-5736 (the program that they run from).

namespace troupe::attack_exec_test {

using test::attacker;
using test::oci_box;

namespace {

const auto sessions = test::repeats(12);

/// The program of the host, before and after.
struct program_file {
  explicit program_file(const char* name)
    : path(std::string{TROUPE_BIN_DIR} + "/" + name),
      content(test::file_content(path)),
      identity(test::identity_of(path)) {
    REQUIRE(content.size() > 100'000);
  }

  [[nodiscard]] bool is_untouched() const {
    return test::identity_of(path) == identity
           && test::file_content(path) == content;
  }

  std::string path;
  std::string content;
  test::file_identity identity;
};

/// Every directory that it got hold of leads to the container's own root.
void check_stays_inside(const attacker& hostile, const test::busybox_rootfs& fs,
                        std::set<test::file_identity> harmless = {}) {
  harmless.insert(test::identity_of(fs.path()));
  for (const auto* how : {"root", "cwd", "fd"})
    if (const auto tops = hostile.reached.find(how);
        tops != hostile.reached.end())
      for (const auto& top : tops->second) {
        CAPTURE(how, top.first, top.second);
        CHECK(harmless.contains(top));
      }
}

void check_program_is_safe(const attacker& hostile, const program_file& host) {
  CHECK(hostile.count("program_writable") == 0);
  CHECK(hostile.count("program_written") == 0);
  if (const auto seen = hostile.reached.find("exe");
      seen != hostile.reached.end())
    CHECK_FALSE(seen->second.contains(host.identity));
  CHECK(host.is_untouched());
}

/// Nothing at all of a process that has not executed its program yet.
void check_gets_nothing(const attacker& hostile) {
  for (const auto* what : {"root_opened", "cwd_opened", "fd_taken",
                           "program_opened", "memory_read", "traced"}) {
    CAPTURE(what);
    CHECK(hostile.count(what) == 0);
  }
}

void add_capability(oci::spec& spec, const std::string& name) {
  auto& sets = *spec.process->capabilities;
  for (auto* set : {&sets.bounding, &sets.effective, &sets.permitted})
    set->push_back(name);
}

/// Its own cgroup, which a session is put into.
std::set<test::file_identity> own_cgroup(const oci_box& box) {
  std::set<test::file_identity> out;
  for (const auto& each : box.own_cgroup().dirs)
    out.insert(test::identity_of(each.mount + each.path));
  return out;
}

/// Lets it attack while sessions are executed, each of which ends with `code`.
std::set<test::file_identity>
attack(oci_box& box, attacker& hostile,
       const std::vector<std::string>& program = {"/bin/sh", "-c", "exit 7"},
       int code = 7) {
  start(box, hostile);
  for (auto i = 0; i < sessions; ++i) {
    std::vector<std::string> words{"exec", "web"};
    words.insert(words.end(), program.begin(), program.end());
    const auto done = box.call(words);
    INFO(done.err);
    CHECK(done.exit_code == code);
  }
  const auto cgroup = own_cgroup(box);
  REQUIRE(box.call({"kill", "web", "TERM"}).exit_code == 0);
  box.wait_until_stopped("web");
  hostile.read_report();
  CHECK(hostile.count("seen") > 0);
  return cgroup;
}

} // namespace

TEST_CASE("a container gets nothing of the processes that join it",
          "[rule-4]") {
  oci_box box;
  attacker hostile{box.fs};
  const program_file host{"troupe-oci"};
  SECTION("with docker's capabilities") {
    attack(box, hostile);
    CHECK(hostile.count("looks_while_joining") > 0);
  }
  SECTION("with the right to trace, in a user namespace of its own") {
    add_capability(box.spec, "CAP_SYS_PTRACE");
    box.spec.linux_.namespaces.push_back({oci::namespace_kind::user, ""});
    box.spec.linux_.uid_mappings = {{0, 100'000, 65'536}};
    box.spec.linux_.gid_mappings = {{0, 100'000, 65'536}};
    attack(box, hostile);
  }
  INFO(hostile.text);
  check_gets_nothing(hostile);
  check_stays_inside(hostile, box.fs);
  check_program_is_safe(hostile, host);
}

TEST_CASE("a container that may trace the processes that join it finds no way "
          "to the host in them",
          "[rule-4]") {
  oci_box box;
  attacker hostile{box.fs};
  const program_file host{"troupe-oci"};
  add_capability(box.spec, "CAP_SYS_PTRACE");
  const auto cgroup = attack(box, hostile);
  INFO(hostile.text);
  // It has the right, and uses it: else this would show nothing.
  CHECK(hostile.count("fd_taken") > 0);
  CHECK(hostile.count("program_opened") > 0);
  check_stays_inside(hostile, box.fs, cgroup);
  check_program_is_safe(hostile, host);
}

TEST_CASE("a container finds no way to the host in the shim's sessions",
          "[rule-4][shim]") {
  test::shim_box box;
  attacker hostile{box.fs};
  const program_file host{"troupe-shim"};
  auto plan = test::quick_plan(box.fs, attacker::args());
  REQUIRE_FALSE(plan.process.capabilities.set); // it may do everything
  box.begin(test::launch_of("web-1"), plan);
  hostile.wait_until_ready();
  plan::exec_plan exec;
  exec.id = plan.id;
  exec.namespaces = plan.namespaces.clone_flags;
  exec.process = plan.process;
  exec.process.args = {"/bin/sh", "-c", "exit 7"};
  for (auto i = 0; i < sessions; ++i) {
    exec.session = "s" + std::to_string(i);
    auto request = test::launch_of("web-1/" + exec.session);
    request.target = "web-1";
    const auto created = box.supervisor.launch(request, exec);
    INFO(created.what);
    REQUIRE(created.fault == 0);
    REQUIRE(box.supervisor.start(request.key).fault == 0);
    CHECK(box.supervisor.wait_for(request.key, shim::process_state::exited)
            .exit_code
          == 7);
  }
  REQUIRE(box.supervisor.ask(shim::signal{0, "web-1", SIGTERM}).fault == 0);
  box.supervisor.wait_for("web-1", shim::process_state::exited);
  hostile.read_report();
  INFO(hostile.text);
  CHECK(hostile.count("program_opened") > 0);
  check_stays_inside(hostile, box.fs);
  check_program_is_safe(hostile, host);
}

TEST_CASE("a container gets nothing of a neighbour that starts in its pid "
          "namespace",
          "[rule-4]") {
  oci_box box;
  attacker hostile{box.fs};
  const program_file host{"troupe-oci"};
  start(box, hostile);
  oci_box neighbour;
  for (auto& each : neighbour.spec.linux_.namespaces)
    if (each.kind == oci::namespace_kind::pid)
      each.path = "/proc/"
                  + std::to_string(box.state("web").at("pid").get<int>())
                  + "/ns/pid";
  // The same image: its program is nobody's secret once it runs.
  neighbour.spec.root->path = box.fs.path();
  neighbour.runs("exit 7");
  for (auto i = 0; i < sessions; ++i) {
    const auto ran = neighbour.call(
      {"run", "--bundle", neighbour.fs.bundle(), "next"});
    INFO(ran.err);
    CHECK(ran.exit_code == 7);
  }
  REQUIRE(box.call({"kill", "web", "TERM"}).exit_code == 0);
  box.wait_until_stopped("web");
  hostile.read_report();
  INFO(hostile.text);
  CHECK(hostile.count("seen") > 0);
  CHECK(hostile.count("looks_while_joining") > 0);
  check_gets_nothing(hostile);
  check_program_is_safe(hostile, host);
}

TEST_CASE("an image whose program is its runtime's cannot overwrite it",
          "[rule-4]") {
  oci_box box;
  attacker hostile{box.fs};
  const program_file host{"troupe-oci"};
  box.fs.write("bin/script", "#!/proc/self/exe --version\n");
  REQUIRE(::chmod((box.fs.path() + "/bin/script").c_str(), 0755) == 0);
  std::filesystem::create_symlink("/proc/self/exe", box.fs.root() / "bin/link");
  const auto program = GENERATE(
    values<std::vector<std::string>>({{"/bin/script"},
                                      {"/bin/link", "--version"},
                                      {"/proc/self/exe", "--version"}}));
  CAPTURE(program);
  attack(box, hostile, program, 0);
  INFO(hostile.text);
  // It is the runtime that ran in there, and everybody may look at it.
  CHECK(hostile.count("program_opened") > 0);
  check_program_is_safe(hostile, host);

  oci_box own;
  own.fs.write("bin/script", "#!/proc/self/exe --version\n");
  REQUIRE(::chmod((own.fs.path() + "/bin/script").c_str(), 0755) == 0);
  std::filesystem::create_symlink("/proc/self/exe", own.fs.root() / "bin/link");
  own.spec.process->args = program;
  own.write();
  const auto ran = own.call({"run", "--bundle", own.fs.bundle(), "own"});
  CHECK_THAT(ran.out, Catch::Contains("troupe-oci"));
  CHECK(host.is_untouched());
}

} // namespace troupe::attack_exec_test
