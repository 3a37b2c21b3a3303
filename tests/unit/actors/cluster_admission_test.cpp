// What stands at the cluster's door: who may begin a handshake, how long a
// frame may be, and what a greeting may say. Pure: time is given.

#include "actors/cluster/admission.hpp"
#include "actors/cluster/frames.hpp"
#include "actors/cluster/greeting.hpp"
#include "tests/support/mutator.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::cluster_admission_test {

using namespace cluster;
using namespace std::chrono_literals;
using namespace std::string_view_literals;
using Catch::Contains;

namespace {

using limits = admission::limits;

const admission::time_point start{100h};

/// How many of `tries` are let in at `now`; each leaves again if `brief`.
int entered(admission& door, const std::string& address, int tries,
            admission::time_point now, bool brief = false) {
  auto out = 0;
  for (auto i = 0; i < tries; ++i)
    if (door.enter(address, now)) {
      ++out;
      if (brief)
        door.leave(address);
    }
  return out;
}

std::string numbered(int i) {
  return "10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256);
}

/// A BASP header as CAF writes it, with bytes that must not matter.
std::string header(std::uint32_t payload, char other = '\x5a') {
  std::string out(32, other);
  for (auto i = 0U; i < 4; ++i)
    out[4 + i] = static_cast<char>(payload >> (24 - 8 * i));
  return out;
}

std::string frame(std::uint32_t payload) {
  return header(payload) + std::string(payload, '\xff');
}

greeting full() {
  greeting out;
  out.protocol = 7;
  out.version = "1.2.3";
  out.name = "web-1";
  out.incarnation = std::numeric_limits<std::uint64_t>::max();
  out.address = "[::1]:7071";
  out.refusal = "\"no\" \u00e9\n";
  out.token = std::string(32, 'a');
  return out;
}

std::string text_of(const greeting& x) {
  return encode(x).substr(length_size);
}

std::string refusal_of(std::string_view text) {
  const auto read = decode_greeting(text);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == fault::invalid_config);
  return read.error().what;
}

} // namespace

TEST_CASE("so many handshakes are pending at once", "[cluster][admission]") {
  admission door{limits{8, 5, 1000, 1000}};
  CHECK(entered(door, "a", 10, start) == 5);
  CHECK(entered(door, "b", 10, start) == 3);
  CHECK(entered(door, "c", 10, start) == 0);
  door.leave("a");
  CHECK(entered(door, "c", 10, start) == 1);
  door.leave("c");
  CHECK(entered(door, "a", 10, start) == 1);
}

TEST_CASE("an address may begin so many after a pause, and so many a second",
          "[cluster][admission]") {
  admission door{limits{100, 100, 10, 4}};
  CHECK(entered(door, "a", 9, start, true) == 4);
  CHECK(entered(door, "b", 9, start, true) == 4);
  CHECK_FALSE(door.enter("a", start + 99ms));
  CHECK(entered(door, "a", 9, start + 101ms, true) == 1);
  CHECK(entered(door, "a", 9, start + 301ms, true) == 2);
  // However long the pause.
  CHECK(entered(door, "a", 9, start + 1h, true) == 4);
}

TEST_CASE("who knocks all the time is let in as often as anybody",
          "[cluster][admission]") {
  admission door{limits{100, 100, 10, 4}};
  auto in = 0;
  for (auto at = 0ms; at < 10s; at += 1ms)
    in += entered(door, "a", 1, start + at, true);
  CHECK(in >= 102); // 4, and 10 s of 10 a second
  CHECK(in <= 104);
}

TEST_CASE("being refused for what is pending costs nothing",
          "[cluster][admission]") {
  admission door{limits{100, 2, 1, 4}};
  CHECK(entered(door, "a", 1000, start) == 2);
  door.leave("a");
  door.leave("a");
  CHECK(entered(door, "a", 1000, start) == 2);
}

TEST_CASE("leaving is of no use to whoever is not in", "[cluster][admission]") {
  admission door{limits{2, 2, 1000, 1000}};
  door.leave("a");
  CHECK(door.known() == 0);
  CHECK(entered(door, "a", 9, start) == 2);
  door.leave("b");
  CHECK(entered(door, "b", 9, start) == 0);
  for (auto i = 0; i < 5; ++i)
    door.leave("a");
  CHECK(entered(door, "a", 9, start) == 2);
}

TEST_CASE("the usual limits", "[cluster][admission]") {
  admission door;
  CHECK(entered(door, "a", 100, start) == 16);
  CHECK(entered(door, "b", 100, start, true) == 64);
  CHECK(entered(door, "b", 100, start + 1s, true) == 20);
  auto others = 0;
  for (auto i = 0; i < 100; ++i)
    others += entered(door, numbered(i), 5, start);
  CHECK(others == 240);
}

TEST_CASE("a flood with many addresses does not fill the memory",
          "[cluster][admission][rule-10]") {
  admission door;
  for (auto i = 0; i < 4'500; ++i)
    entered(door, numbered(i), 1, start, true);
  CHECK(door.known() == 4096);
  // Those that are known are served, new ones once others are forgotten.
  CHECK(door.enter(numbered(7), start + 1s));
  CHECK_FALSE(door.enter("new", start + 1s));
  CHECK(door.enter("new", start + 4s));
  CHECK(door.known() == 2);
}

TEST_CASE("who is pending is not forgotten", "[cluster][admission][rule-10]") {
  admission door{limits{4096, 1, 20, 64}};
  for (auto i = 0; i < 4096; ++i)
    REQUIRE(door.enter(numbered(i), start));
  CHECK_FALSE(door.enter("new", start + 24h));
  CHECK(door.known() == 4096);
  door.leave(numbered(0));
  CHECK(door.enter("new", start + 24h));
  CHECK_FALSE(door.enter(numbered(1), start + 24h));
}

TEST_CASE("frames are followed wherever they are split",
          "[cluster][frames][rule-10]") {
  const auto good = frame(0) + frame(1) + frame(40) + frame(0) + frame(7);
  const auto bad = header(frames::longest + 1);
  const std::string_view text{good};
  const auto follows = [&](std::size_t first, std::size_t second) {
    frames of;
    return of.take(text.substr(0, first))
           && of.take(text.substr(first, second - first))
           && of.take(text.substr(second))
           // It is known where the next one begins.
           && of.take(std::string_view{bad}.substr(0, 31))
           && !of.take(std::string_view{bad}.substr(31));
  };
  auto lost = 0;
  for (std::size_t first = 0; first <= good.size(); ++first)
    for (auto second = first; second <= good.size(); ++second)
      lost += follows(first, second) ? 0 : 1;
  CHECK(lost == 0);
}

TEST_CASE("frames are followed byte by byte", "[cluster][frames]") {
  frames of;
  for (auto i = 0; i < 50; ++i)
    for (const auto byte : frame(static_cast<std::uint32_t>(i)))
      REQUIRE(of.take({&byte, 1}));
  REQUIRE(of.take(""));
  CHECK_FALSE(of.take(header(0xffff'ffff)));
}

TEST_CASE("a frame may be of 64 MiB, and not a byte longer",
          "[cluster][frames][rule-10]") {
  CHECK(frames::longest == 67'108'864);
  frames of;
  REQUIRE(of.take(header(frames::longest)));
  const std::string part(1U << 20U, '\xff');
  for (auto i = 0; i < 64; ++i)
    REQUIRE(of.take(part));
  REQUIRE(of.take(header(3)));
  REQUIRE(of.take("abc"));
  CHECK_FALSE(of.take(header(frames::longest + 1)));
  for (const auto size : {0x0400'0001U, 0x8000'0000U, 0xffff'ffffU}) {
    frames fresh;
    CHECK_FALSE(fresh.take(frame(2) + header(size)));
  }
}

TEST_CASE("nothing but the length of a frame matters", "[cluster][frames]") {
  frames of;
  for (auto other = 0; other < 256; ++other)
    REQUIRE(of.take(header(0, static_cast<char>(other))));
  CHECK_FALSE(of.take(header(frames::longest + 1, '\0')));
}

TEST_CASE("a greeting is read as it was written", "[cluster][greeting]") {
  for (const auto& each : {greeting{}, full()}) {
    const auto bytes = encode(each);
    const auto size = decode_length(std::string_view{bytes}.substr(0, 4));
    REQUIRE(size);
    CHECK(*size == bytes.size() - length_size);
    CHECK(decode_greeting(text_of(each)).value() == each);
  }
}

// `address` may come from a command line.
TEST_CASE("any text can be greeted with", "[cluster][greeting]") {
  auto odd = full();
  odd.address = "\xff:7071";
  CHECK_NOTHROW(encode(odd));
}

TEST_CASE("a greeting's length is bounded", "[cluster][greeting][rule-10]") {
  CHECK(decode_length("\0\0\0\0"sv).value() == 0);
  CHECK(decode_length("\0\0\1\2"sv).value() == 258);
  CHECK(decode_length("\0\0\x40\0"sv).value() == longest_greeting);
  CHECK(decode_length("\0\0\x40\1"sv).error().what
        == "greeting: 16385 bytes, more than 16384");
  CHECK(decode_length("\xff\xff\xff\xff"sv).error().what
        == "greeting: 4294967295 bytes, more than 16384");
}

TEST_CASE("members that a later version adds to a greeting are passed over",
          "[cluster][greeting]") {
  auto text = text_of(full());
  text.insert(1, R"("later":{"a":[1,2,null]},)");
  CHECK(decode_greeting(text).value() == full());
}

TEST_CASE("what is no greeting is refused with a reason",
          "[cluster][greeting][rule-10]") {
  CHECK_THAT(refusal_of(""), Catch::StartsWith("greeting: "));
  CHECK_THAT(refusal_of("GET / HTTP/1.1\r\n\r\n"),
             Catch::StartsWith("greeting: "));
  CHECK_THAT(refusal_of("[]"), Contains("expected an object"));
  CHECK_THAT(refusal_of("{}"), Contains("/protocol"));
  for (const auto* member :
       {"protocol", "version", "name", "incarnation", "address"}) {
    auto text = text_of(full());
    const auto at = text.find('"' + std::string{member} + '"');
    REQUIRE(at != text.npos);
    text.insert(at + 1, "x");
    CHECK_THAT(refusal_of(text), Contains("/" + std::string{member}));
  }
  CHECK_THAT(refusal_of(R"({"protocol":"1"})"), Contains("/protocol"));
  CHECK_THAT(refusal_of(R"({"protocol":-1})"), Contains("/protocol"));
  CHECK_THAT(refusal_of(R"({"protocol":4294967296})"), Contains("/protocol"));
  CHECK_THAT(refusal_of(R"({"protocol":1,"version":1})"), Contains("/version"));
  CHECK_THAT(refusal_of(R"({"protocol":1,"version":"","name":"a\u0000b"})"),
             Contains("/name"));
  CHECK_FALSE(decode_greeting(std::string(longest_greeting, '[')));
  CHECK_FALSE(decode_greeting(std::string(longest_greeting, '\xff')));
}

TEST_CASE("a damaged greeting is refused, or one that can be written again",
          "[cluster][greeting][rule-10]") {
  auto other = full();
  other.refusal.clear();
  other.name = "\U0001f3ad";
  test::mutator damage{{text_of(greeting{}), text_of(full()), text_of(other)}};
  auto taken = 0;
  auto silent = 0;
  for (auto i = 0; i < 5'000; ++i) {
    const auto text = damage.next();
    const auto read = decode_greeting(text);
    if (!read) {
      silent += read.error().what.starts_with("greeting: ") ? 0 : 1;
      continue;
    }
    ++taken;
    REQUIRE(decode_greeting(text_of(*read)).value() == *read);
  }
  CHECK(silent == 0);
  CHECK(taken > 100);
}

} // namespace troupe::cluster_admission_test
