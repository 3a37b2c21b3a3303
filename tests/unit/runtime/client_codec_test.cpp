#include "runtime/shim/client_codec.hpp"
#include "runtime/shim/recent_output.hpp"

#include <catch2/catch.hpp>

namespace troupe::client_codec_test {

using namespace troupe::shim;
using namespace std::string_literals;

namespace {

struct heard : client_codec::sink {
  void input(std::string_view bytes) override {
    stdin_bytes += bytes;
  }
  void end_of_input() override {
    ended = true;
  }
  void reply(std::string_view bytes) override {
    replies += bytes;
  }
  std::string stdin_bytes;
  std::string replies;
  bool ended = false;
};

/// A client's frame: RFC 6455, section 5.2.
std::string masked(unsigned first, std::string body, unsigned bits = 0x80) {
  const std::string mask = "\x12\x34\x56\x78";
  std::string out;
  out += static_cast<char>(first);
  if (body.size() <= 125) {
    out += static_cast<char>(bits | body.size());
  } else {
    out += static_cast<char>(bits | 126U);
    out += static_cast<char>(body.size() >> 8U);
    out += static_cast<char>(body.size() & 0xffU);
  }
  out += mask;
  for (std::size_t i = 0; i < body.size(); ++i)
    out += static_cast<char>(body[i] ^ mask[i % 4]);
  return out;
}

} // namespace

TEST_CASE("a WebSocket's messages begin with their stream", "[shim][attach]") {
  const auto codec = client_codec::of(framing::websocket);
  CHECK(codec->head_of(frame_stream::err, 5).text() == "\x82\x06\x02");
  CHECK(codec->head_of(frame_stream::out, 300).text()
        == "\x82\x7e\x01\x2d\x01"s);
  CHECK(codec->head_of(frame_stream::out, 65536).text()
        == "\x82\x7f\0\0\0\0\0\x01\0\x01\x01"s);
}

TEST_CASE("a WebSocket's input comes in any pieces", "[shim][attach]") {
  const auto all = masked(0x82, "\0hello"s)        // whole
                   + masked(0x02, "\0 wor"s)       // in pieces
                   + masked(0x89, "are you there") // with a ping between
                   + masked(0x80, "ld")            // and its end
                   + masked(0x82, "\0"s + std::string(300, 'x'))
                   + masked(0x82, "")         // of nothing
                   + masked(0x82, "\xff\0"s); // end of stdin
  const auto step = GENERATE(1U, 3U, 7U, 1000U);
  const auto codec = client_codec::of(framing::websocket);
  heard got;
  for (std::size_t at = 0; at < all.size(); at += step)
    REQUIRE(codec->take(std::string_view{all}.substr(at, step), got));
  CHECK(got.stdin_bytes == "hello world" + std::string(300, 'x'));
  CHECK(got.replies
        == "\x8a\x0d"
           "are you there");
  CHECK(got.ended);
}

TEST_CASE("a WebSocket that breaks the rules is ended", "[shim][attach]") {
  const auto refused = [](const std::string& bytes) {
    heard got;
    return !client_codec::of(framing::websocket)->take(bytes, got);
  };
  CHECK(refused(masked(0x82, "\0x"s, 0))); // not masked
  CHECK(refused(masked(0xc2, "\0x"s)));    // an extension's bit
  CHECK(refused(masked(0x83, "\0x"s)));    // an unknown opcode
  CHECK(refused(masked(0x82, "\x01x")));   // stdout is not the client's
  CHECK(refused(masked(0x09, "ping in pieces")));
  CHECK(refused(masked(0x89, std::string(126, 'x'))));
  CHECK(refused("\x82\xff\0\0\0\1\0\0\0\0mask"s)); // 4 GB
}

TEST_CASE("a WebSocket's good-bye is answered", "[shim][attach]") {
  heard got;
  CHECK_FALSE(
    client_codec::of(framing::websocket)->take(masked(0x88, "\x03\xe8"), got));
  CHECK(got.replies == "\x88\x02\x03\xe8");
}

TEST_CASE("a frame of 4 GB is no frame", "[shim][attach]") {
  heard got;
  const auto codec = client_codec::of(framing::frames);
  CHECK_FALSE(codec->take("\0\0\0\0\xff\xff\xff\xff"s, got));
}

TEST_CASE("conmon's packets have one byte ahead", "[shim][attach]") {
  const auto codec = client_codec::of(framing::packets);
  CHECK(codec->head_of(frame_stream::out, 9).text() == "\x02");
  CHECK(codec->head_of(frame_stream::err, 9).text() == "\x03");
  CHECK(codec->longest() == 8192);
  CHECK_FALSE(codec->has_marks());
}

TEST_CASE("the last output is kept, in order", "[shim][attach]") {
  recent_output kept{10'000};
  std::string all;
  for (auto i = 0; i < 5'000; ++i) {
    const auto from = i % 7 == 0 ? frame_stream::err : frame_stream::out;
    const auto text = std::to_string(i)
                      + (from == frame_stream::err ? "!" : " ");
    kept.add(from, text);
    all += text;
  }
  const auto shown = [&](std::size_t wanted) {
    std::string out;
    kept.replay(wanted, [&](frame_stream from, std::string_view bytes) {
      for (const auto each : bytes)
        REQUIRE((each != '!' || from == frame_stream::err));
      out += bytes;
    });
    return out;
  };
  CHECK(shown(0).empty());
  for (const auto wanted : {1U, 100U, 500U})
    CHECK(shown(wanted) == all.substr(all.size() - wanted));
  CHECK(all.ends_with(shown(1U << 20U)));
  CHECK(shown(1U << 20U).size() < 15'000);

  kept.add(frame_stream::out, std::string(100'000, 'x'));
  CHECK(shown(10'000) == std::string(10'000, 'x'));
  CHECK(shown(1U << 20U).size() < 15'000);
}

} // namespace troupe::client_codec_test
