#include "tests/support/oci_box.hpp"

#include <set>

// Ids and users that are chosen to hurt: paths in the place of names, numbers
// that wrap, words that a lax reader takes for 0.

namespace troupe::attack_words_test {

using test::oci_box;

namespace {

using words = std::vector<std::string>;

std::set<std::string> files_in(const std::string& directory) {
  std::set<std::string> out;
  for (const auto& each :
       std::filesystem::recursive_directory_iterator{directory})
    out.insert(each.path());
  return out;
}

} // namespace

TEST_CASE("no id leads out of the runtime's own directory", "[rule-8]") {
  const oci_box box;
  box.create("web"); // so that its root is there
  box.directory.write("victim/state.json", "{}");
  const auto before = files_in(box.directory.path());
  const words ids{"..",
                  ".",
                  "",
                  "../victim",
                  "../../victim",
                  "/tmp",
                  "web/..",
                  "web/../../../victim",
                  "-web",
                  "_web",
                  ".web",
                  "a b",
                  "a\nb",
                  "web\x01",
                  "w\xc3\xa9"
                  "b",
                  "a:b",
                  "a\\b",
                  "%2e%2e",
                  "~root",
                  "$HOME",
                  std::string(256, 'x')};
  for (const auto& name : ids)
    for (const auto& call :
         {words{"create", "--bundle", box.fs.bundle(), "--", name},
          words{"run", "--bundle", box.fs.bundle(), "--", name},
          words{"start", "--", name}, words{"state", "--", name},
          words{"kill", "--", name, "KILL"},
          words{"delete", "--force", "--", name}, words{"pause", "--", name},
          words{"exec", "--", name, "/bin/true"}}) {
      CAPTURE(name, call.front());
      const auto done = box.call(call);
      CHECK(done.exit_code != 0);
      CHECK_FALSE(done.err.empty());
    }
  CHECK(files_in(box.directory.path()) == before);
  CHECK(box.status("web") == "created");
}

TEST_CASE("a session's user is who was asked for, or nobody", "[rule-8]") {
  oci_box box;
  box.spec.process->user.uid = 33;
  box.spec.process->user.gid = 33;
  box.write();
  box.create("web");
  REQUIRE(box.call({"start", "web"}).exit_code == 0);
  const auto as = [&](const std::string& user) {
    return box.call(
      {"exec", "--user", user, "web", "/bin/busybox", "id", "-u"});
  };
  CHECK(as("7").out == "7\n");
  CHECK(as("4294967294").out == "4294967294\n");
  CHECK(as("7:8").out == "7\n");
  for (const auto* user : {"4294967295", "4294967296",   "18446744073709551616",
                           "-1",         "-0",           "+7",
                           "0x7",        " 7",           "7 ",
                           "7:",         ":7",           ":",
                           "7:-1",       "7:4294967295", "7:8:9",
                           "root",       "7,8",          "1e3",
                           "\xd9\xa7",   "7\n"}) {
    CAPTURE(user);
    const auto done = as(user);
    CHECK(done.exit_code == 255);
    CHECK(done.out.empty());
    CHECK_FALSE(done.err.empty());
  }
  CHECK(as("").out == "33\n"); // nothing asked for: the container's own
  for (const auto* group : {"4294967295", "-1", "", "wheel", "0x0"}) {
    CAPTURE(group);
    const auto done = box.call(
      {"exec", "--additional-gids", group, "web", "/bin/busybox", "id", "-G"});
    CHECK(done.exit_code != 0);
    CHECK(done.out.empty());
  }
}

} // namespace troupe::attack_words_test
