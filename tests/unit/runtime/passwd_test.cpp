#include "runtime/linux/passwd.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "tests/support/scratch_directory.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <vector>

namespace troupe::passwd_test {

using sys::user_ids;

namespace {

constexpr auto passwd = "root:x:0:0:root:/root:/bin/sh\n"
                        "broken line\n"
                        "evil:x:4294967295:0::/:/\n"
                        "www:x:33:33:www-data:/var/www:/bin/false\n"
                        "1000:x:7:7::/:\n"
                        "dev:x:1000:100::/home/dev:/bin/sh";
constexpr auto group = "root:x:0:\n"
                       "www:x:33:\n"
                       "users:x:100:\n"
                       "docker:x:999:www,dev\n"
                       "docker:x:998:\n"
                       "audio:x:29:root,dev\n"
                       "bad:x:-1:dev\n"
                       "audio2:x:29:dev\n";

struct fixture {
  result<user_ids> find(std::string_view user) {
    const sys::unique_fd root{
      ::open(scratch.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    return sys::find_user(root.get(), user);
  }

  void install() {
    scratch.write("etc/passwd", passwd);
    scratch.write("etc/group", group);
  }

  test::scratch_directory scratch;
};

} // namespace

TEST_CASE_METHOD(fixture, "users and groups are found by name and number",
                 "[passwd]") {
  install();
  struct row {
    std::string_view user;
    user_ids expected;
  };
  const std::vector<row> rows{
    {"root", {0, 0, {29}}},
    {"www", {33, 33, {999}}},
    {"dev", {1000, 100, {999, 29}}},
    {"1000", {1000, 100, {999, 29}}},
    {"4242", {4242, std::nullopt, {}}},
    {"dev:users", {1000, 100, {}}},
    {"dev:5", {1000, 5, {}}},
    {"7:docker", {7, 999, {}}},
    {"4294967294:0", {4294967294, 0, {}}},
  };
  for (const auto& each : rows) {
    INFO(each.user);
    const auto found = find(each.user);
    REQUIRE(found);
    CHECK(*found == each.expected);
  }
}

TEST_CASE_METHOD(fixture, "what is no user is refused by name",
                 "[passwd][rule-8]") {
  install();
  struct row {
    std::string_view user;
    std::string_view complaint;
  };
  const std::vector<row> rows{
    {"bob", "expected a user of /etc/passwd or a number, found 'bob'"},
    {"evil", "expected a user of /etc/passwd or a number, found 'evil'"},
    {"broken line", "found 'broken line'"},
    {"4294967295", "found '4294967295'"},
    {"-1", "found '-1'"},
    {"dev:nobody",
     "expected a group of /etc/group or a number, found 'nobody'"},
    {"dev:bad", "found 'bad'"},
    {"dev:", "expected USER or USER:GROUP, found 'dev:'"},
    {":users", "expected USER or USER:GROUP"},
    {":", "expected USER or USER:GROUP"},
  };
  for (const auto& each : rows) {
    INFO(each.user);
    const auto found = find(each.user);
    REQUIRE_FALSE(found);
    CHECK(found.error().code == fault::invalid_config);
    CHECK_THAT(found.error().what,
               Catch::Contains(std::string{each.complaint}));
  }
}

TEST_CASE_METHOD(fixture, "numbers need no files", "[passwd]") {
  CHECK(find("5").value() == user_ids{5, std::nullopt, {}});
  CHECK(find("5:6").value() == user_ids{5, 6, {}});
  CHECK_FALSE(find("root"));
}

TEST_CASE_METHOD(fixture, "the root's files are read, whatever they link to",
                 "[passwd]") {
  std::filesystem::create_directories(scratch / "etc");
  SECTION("an absolute link stays inside the root") {
    scratch.write("data/users", "inner:x:77:78::/:\n");
    std::filesystem::create_symlink("/data/users", scratch / "etc/passwd");
    CHECK(find("inner").value() == user_ids{77, 78, {}});
  }
  SECTION("a link to the host's file finds nothing") {
    std::filesystem::create_symlink("../../../../../etc/passwd",
                                    scratch / "etc/passwd");
    CHECK_FALSE(find("root"));
  }
  SECTION("a FIFO does not block") {
    REQUIRE(::mkfifo((scratch / "etc/passwd").c_str(), 0600) == 0);
    const auto found = find("root");
    REQUIRE_FALSE(found);
    CHECK_THAT(found.error().what, Catch::Contains("expected a regular file"));
  }
}

} // namespace troupe::passwd_test
