#include "runtime/linux/seqpacket.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

namespace troupe::seqpacket_test {

namespace {

using bytes = std::vector<std::uint8_t>;

} // namespace

TEST_CASE("a packet is received as it was sent, whatever its size") {
  const auto [a, b] = sys::seqpacket_pair().value();
  const auto size = GENERATE(1U, 8U, 1020U, 65'536U);
  const bytes sent(size, 7);
  REQUIRE(sys::send_packet(a.get(), sent));
  const auto got = sys::receive_packet(b.get());
  REQUIRE(got);
  CHECK(got->bytes == sent);
  CHECK_FALSE(got->closed);
}

TEST_CASE("a packet over the limit is a failure, and ends with it") {
  const auto [a, b] = sys::seqpacket_pair().value();
  const bytes large(9, 1);
  const bytes small(8, 2);
  REQUIRE(sys::send_packet(a.get(), large));
  REQUIRE(sys::send_packet(a.get(), small));
  CHECK(sys::receive_packet(b.get(), 8).error().code == fault::invalid_config);
  CHECK(sys::receive_packet(b.get(), 8).value().bytes == small);
}

TEST_CASE("a descriptor comes with its packet") {
  const auto [a, b] = sys::seqpacket_pair().value();
  struct stat given {};
  struct stat taken {};
  REQUIRE(::fstat(STDERR_FILENO, &given) == 0);
  REQUIRE(sys::send_packet(a.get(), bytes{1}, std::vector{STDERR_FILENO}));
  const auto got = sys::receive_packet(b.get());
  REQUIRE(got);
  REQUIRE(got->fds.size() == 1);
  REQUIRE(::fstat(got->fds[0].get(), &taken) == 0);
  CHECK(taken.st_ino == given.st_ino);
}

TEST_CASE("what was said before the end is heard, also with something unread") {
  auto [a, b] = sys::seqpacket_pair().value();
  const bytes last{1, 2, 3};
  REQUIRE(sys::send_packet(a.get(), last));
  REQUIRE(sys::send_packet(b.get(), bytes{4}));
  a.reset();
  CHECK(sys::receive_packet(b.get()).value().bytes == last);
  CHECK(sys::receive_packet(b.get()).value().closed);
}

} // namespace troupe::seqpacket_test
