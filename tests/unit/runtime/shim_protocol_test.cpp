#include "runtime/shim/protocol/messages.hpp"

#include <catch2/catch.hpp>

#include <random>

namespace troupe::shim_protocol_test {

using namespace troupe::shim;

namespace {

step_report some_step() {
  return {7, 3, 2, "mount /data: ENOENT"};
}

std::vector<request> every_request() {
  return {
    upgrade{10, 7},
    launch{1,
           "web-1/s",
           "web-1",
           true,
           true,
           {log_driver::capture, "/var/log/x", 1 << 30, 9, overflow::block},
           65536,
           3,
           true,
           "/run/web-1/",
           5'000'000'000},
    start{2, "web-1"},
    shim::signal{3, "web-1", 15},
    attach{4, "web-1", true, false, framing::packets, overflow::drop, 4096},
    resize{8, "web-1", 50, 132},
    reopen_log{9, "web-1"},
    teardown{5, "web-1"},
    poststart{6, "web-1"},
    forget{7, "web-1"},
    quit{~std::uint64_t{0}},
  };
}

std::vector<notice> every_notice() {
  return {
    hello{1, "0.1.0", 42, 1},
    record{"web-1",
           true,
           process_state::exited,
           4711,
           1,
           2,
           3,
           127,
           9,
           some_step(),
           true,
           {-1, 5, 6, 28, {{28, 4}, {27, 2}}},
           {3, 1 << 20},
           9},
    synced{},
    reply{8, 3, 2, "start web-1: ENOENT", true, some_step()},
    warning{"web-1", "hook failed", true, some_step()},
  };
}

} // namespace

TEST_CASE("every request comes out of the codec as it went in", "[shim]") {
  const auto all = every_request();
  REQUIRE(all.size() == std::variant_size_v<request>);
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(all[i].index() == i);
    const auto back = decode_request(encode(all[i]));
    REQUIRE(back);
    CHECK(*back == all[i]);
  }
}

TEST_CASE("every notice comes out of the codec as it went in", "[shim]") {
  const auto all = every_notice();
  REQUIRE(all.size() == std::variant_size_v<notice>);
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(all[i].index() == i);
    const auto back = decode_notice(encode(all[i]));
    REQUIRE(back);
    CHECK(*back == all[i]);
  }
}

TEST_CASE("what every version understands stays as it is", "[shim]") {
  // [0, [10, 7]]: a request `upgrade` of supervisors that speak protocol 7
  CHECK(encode(request{upgrade{10, 7}})
        == std::vector<std::uint8_t>{0x82, 0, 0x82, 10, 7});
  // [0, [99, "9.9", …]]: the hello of a later shim, which has more to tell
  const std::vector<std::uint8_t> later{0x82, 0,   0x84, 0x18, 99,  0x63,
                                        '9',  '.', '9',  0xf5, 0x01};
  const auto found = decode_greeting(later);
  REQUIRE(found);
  CHECK(found->protocol == 99);
  CHECK(found->version == "9.9");
  CHECK(decode_greeting(encode(notice{hello{5, "0.1.0", 42, 1}}))->protocol
        == 5);
  for (const auto& each : every_notice())
    CHECK(decode_greeting(encode(each)).has_value() == (each.index() == 0));
}

TEST_CASE("a message that is cut off or goes on is refused", "[shim]") {
  for (const auto& each : every_request()) {
    auto bytes = encode(each);
    for (std::size_t n = 0; n < bytes.size(); ++n)
      CHECK_FALSE(decode_request({bytes.data(), n}));
    bytes.push_back(0);
    CHECK_FALSE(decode_request(bytes));
  }
}

TEST_CASE("random bytes and flipped bits are refused or harmless", "[shim]") {
  std::mt19937 random{42};
  for (const auto& each : every_notice()) {
    for (auto i = 0; i < 2000; ++i) {
      auto bytes = encode(each);
      bytes[random() % bytes.size()] ^= static_cast<std::uint8_t>(random());
      // Whatever is accepted is a message, and so encodes to itself.
      if (const auto got = decode_notice(bytes))
        CHECK(decode_notice(encode(*got)) == got);
    }
  }
}

TEST_CASE("a message that does not fit its types is refused", "[shim]") {
  // [0, …] is hello; as a request it is a launch, with other fields.
  CHECK_FALSE(decode_request(encode(notice{hello{}})));
  // The state is the third of twelve fields: one beyond the last.
  auto bytes = encode(notice{record{}});
  REQUIRE(bytes[5] == static_cast<std::uint8_t>(process_state::launching));
  bytes[5] = static_cast<std::uint8_t>(process_state::failed) + 1;
  CHECK_FALSE(decode_notice(bytes));
}

TEST_CASE("a request tells its number and whom it is about", "[shim]") {
  for (const auto& each : every_request()) {
    const auto* key = key_of(each);
    CHECK(seq_of(each) != 0);
    const auto of_nobody = std::holds_alternative<quit>(each)
                           || std::holds_alternative<upgrade>(each);
    CHECK((key == nullptr) == of_nobody);
    if (key)
      CHECK(key->starts_with("web-1"));
  }
}

} // namespace troupe::shim_protocol_test
