#include "runtime/shim/client_codec.hpp"
#include "runtime/shim/handover.hpp"
#include "runtime/shim/line_splitter.hpp"
#include "runtime/shim/recent_output.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <string>

namespace troupe::handover_test {

using namespace troupe::shim;

namespace {

template <class T>
std::vector<std::uint8_t> saved(T& from) {
  saver out;
  out(from);
  return std::move(out).take();
}

/// What a second program makes of what the first has left.
template <class T>
void pass(T& from, T& to) {
  const auto bytes = saved(from);
  loader in{bytes};
  in(to);
  REQUIRE(in.at_end());
}

struct heard final : client_codec::sink {
  void input(std::string_view bytes) override {
    all += bytes;
  }
  void end_of_input() override {
    ended = true;
  }
  void reply(std::string_view bytes) override {
    replies += bytes;
  }
  std::string all;
  std::string replies;
  bool ended = false;
};

/// Feeds `bytes` to a codec that is replaced by a fresh one after `cut`.
std::string heard_across(framing what, std::string_view bytes,
                         std::size_t cut) {
  heard to;
  const auto first = client_codec::of(what);
  REQUIRE(first->take(bytes.substr(0, cut), to));
  saver out;
  first->hand_over(out);
  const auto left = std::move(out).take();
  loader in{left};
  const auto second = client_codec::of(what);
  second->hand_over(in);
  REQUIRE(in.at_end());
  REQUIRE(second->take(bytes.substr(cut), to));
  return to.all;
}

} // namespace

TEST_CASE("descriptors keep their numbers, and are counted", "[shim]") {
  sys::unique_fd from{::open("/dev/null", O_RDONLY)}; // not close-on-exec
  sys::unique_fd none;
  saver out;
  out(from, none);
  CHECK(out.descriptors() == std::vector{from.get()});
  const auto bytes = std::move(out).take();
  loader in{bytes};
  sys::unique_fd to;
  sys::unique_fd still_none;
  in(to, still_none);
  REQUIRE(in.at_end());
  CHECK(to.get() == from.get());
  CHECK((::fcntl(to.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK_FALSE(still_none);
  static_cast<void>(from.release());
}

TEST_CASE("a descriptor that is not open is not taken over", "[shim]") {
  saver out;
  sys::unique_fd from{987'654};
  out(from);
  static_cast<void>(from.release());
  const auto bytes = std::move(out).take();
  loader in{bytes};
  sys::unique_fd to;
  in(to);
  CHECK_FALSE(in.ok());
  CHECK_FALSE(to);
}

TEST_CASE("a record is handed over whole", "[shim]") {
  record from{"web-1",
              true,
              process_state::exited,
              4711,
              1,
              2,
              3,
              127,
              9,
              {7, 3, 2, "mount /data"},
              true,
              {-1, 5, 6, 28, {{28, 4}}},
              {3, 1 << 20},
              9};
  record to;
  pass(from, to);
  CHECK(to == from);
}

TEST_CASE("an unfinished line is handed over", "[shim]") {
  line_splitter from;
  std::vector<std::string> lines;
  const auto take = [&](auto begin, auto end, bool partial) {
    lines.push_back(std::string{begin}.append(end) + (partial ? "…" : ""));
  };
  from.feed(log::stream::out, "one\ntw", take);
  from.feed(log::stream::err, "no", take);
  line_splitter to;
  pass(from, to);
  to.feed(log::stream::out, "o\n", take);
  to.finish(log::stream::err, take);
  CHECK(lines == std::vector<std::string>{"one", "two", "no…"});
}

TEST_CASE("what is kept for later clients is handed over", "[shim]") {
  recent_output from{4096};
  from.add(frame_stream::out, "first ");
  from.add(frame_stream::err, "second");
  recent_output to;
  pass(from, to);
  std::string shown;
  to.replay(8, [&](frame_stream, std::string_view text) { shown += text; });
  CHECK(shown == "t second");
}

TEST_CASE("a frame that has come in by half is handed over", "[shim]") {
  const auto header = make_header(frame_stream::in, 5);
  const auto bytes = std::string{header.begin(), header.end()} + "hello";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
    CHECK(heard_across(framing::frames, bytes, cut) == "hello");
}

TEST_CASE("a WebSocket message that has come in by half is handed over",
          "[shim]") {
  // binary, masked with zeros: the channel and "hello"
  std::string bytes{"\x82\x86\0\0\0\0\0hello", 12};
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
    CHECK(heard_across(framing::websocket, bytes, cut) == "hello");
}

TEST_CASE("what is cut off, or of another shape, is not taken over", "[shim]") {
  recent_output from{4096};
  from.add(frame_stream::out, "text");
  const auto bytes = saved(from);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    loader in{{bytes.data(), n}};
    recent_output to;
    in(to);
    CHECK_FALSE(in.ok());
  }
  loader in{bytes};
  record other;
  in(other);
  CHECK_FALSE(in.ok());
}

} // namespace troupe::handover_test
