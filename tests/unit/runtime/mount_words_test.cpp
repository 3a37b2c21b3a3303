#include "runtime/launch/placement.hpp"
#include "runtime/launch/resctrl.hpp"
#include "runtime/linux/classic_mount.hpp"
#include "runtime/linux/mount_table.hpp"

#include <catch2/catch.hpp>

// The small texts that the launcher reads and writes.

namespace troupe::mount_words_test {

TEST_CASE("mountinfo is read with its escapes, bad lines are passed over") {
  const auto table = sys::parse_mountinfo(
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "not a line\n"
    "\n"
    "30 22 0:22 /a\\040b /a\\040b\\134c rw shared:1 - tmpfs tmpfs rw\n");
  REQUIRE(table.size() == 2);
  CHECK(table[0].id == 22);
  CHECK(table[0].parent == 27);
  CHECK(table[0].point == "/proc");
  CHECK(table[1].point == "/a b\\c");
}

TEST_CASE("fsconfig takes values of up to 255 bytes") {
  const std::vector<std::string> fits{"flag", std::string(300, 'x'),
                                      "lowerdir=" + std::string(255, 'x')};
  CHECK_FALSE(sys::is_too_long(fits));
  const std::vector<std::string> long_one{"lowerdir=" + std::string(256, 'x')};
  CHECK(sys::is_too_long(long_one));
}

TEST_CASE("id maps are lines of three numbers") {
  CHECK(launch::id_map_text({}).empty());
  CHECK(launch::id_map_text({{0, 1000, 1}, {1, 100000, 65536}})
        == "0 1000 1\n1 100000 65536\n");
}

TEST_CASE("a schemata file says what it says, and no more") {
  constexpr auto text = "    L3:0=07ff;1=7f\n    MB:0= 100;1=  50\n";
  CHECK(launch::says(text, "L3:0=7ff;1=7f"));
  CHECK(launch::says(text, "L3:0=7FF"));
  CHECK(launch::says(text, "MB:1=50"));
  CHECK_FALSE(launch::says(text, "L3:0=7fe"));
  CHECK_FALSE(launch::says(text, "L3:2=7ff"));
  CHECK_FALSE(launch::says(text, "L2:0=7ff"));
  CHECK_FALSE(launch::says("", "L3:0=1"));
}

} // namespace troupe::mount_words_test
