#include "runtime/linux/proc_info.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <string>
#include <unistd.h>

namespace troupe::proc_info_test {

namespace {

/// /proc/PID/stat with `comm`, and numbers where they matter.
std::string stat_of(const std::string& comm) {
  return "17 (" + comm
         + ") S 4 17 17 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 1 0 1 2 25 "
           "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n";
}

} // namespace

TEST_CASE("a process of our own is read whole", "[proc_info]") {
  const auto self = sys::read_process(::getpid());
  REQUIRE(self);
  CHECK(self->pid == ::getpid());
  CHECK(self->ppid == ::getppid());
  CHECK(self->uid == ::getuid());
  CHECK(self->state == "R");
  CHECK(self->rss > 0);
  CHECK(self->command.find(program_invocation_short_name) != std::string::npos);
  CHECK(self->command.find('\0') == std::string::npos);
}

TEST_CASE("a process that is gone is not found", "[proc_info]") {
  const auto gone = sys::read_process(999'999'999);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == fault::not_found);
}

TEST_CASE("a command's name may hold anything", "[proc_info]") {
  for (const auto* comm : {"sh", "a b", "a) S 9 (b", "(x)", ""}) {
    const auto x = sys::parse_stat(stat_of(comm));
    REQUIRE(x);
    CHECK(x->pid == 17);
    CHECK(x->ppid == 4);
    CHECK(x->state == "S");
    CHECK(x->cpu_ms == 200 * 1000 / ::sysconf(_SC_CLK_TCK));
    CHECK(x->rss == 25 * ::sysconf(_SC_PAGESIZE));
    CHECK(x->command == "[" + std::string{comm} + "]");
  }
}

TEST_CASE("what is no stat is refused", "[proc_info]") {
  const auto whole = stat_of("sh");
  for (const auto& text :
       {std::string{}, std::string{"17 sh S 4"}, std::string{")("},
        std::string{"x (sh) S 4"}, whole.substr(0, 40)})
    CHECK_FALSE(sys::parse_stat(text));
}

} // namespace troupe::proc_info_test
