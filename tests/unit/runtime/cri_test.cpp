#include "runtime/log/cri.hpp"

#include <catch2/catch.hpp>

namespace troupe::cri_test {

namespace {

constexpr time_ns moment = 1'795'325'000'000'000'001;

std::string formatted(const log::entry& x) {
  std::string out;
  log::format(out, x);
  return out;
}

} // namespace

TEST_CASE("a record is a time, a stream, a tag and the text", "[log]") {
  const auto time = rfc3339(moment);

  CHECK(formatted({moment, log::stream::out, false, "hello world"})
        == time + " stdout F hello world\n");
  CHECK(formatted({moment, log::stream::err, true, ""})
        == time + " stderr P \n");
}

TEST_CASE("what is formatted is parsed again, whatever the text", "[log]") {
  const std::string bytes{"a  b\0\xff\t\r c ", 11};
  const auto text = GENERATE_COPY(std::string{}, std::string{" "}, bytes,
                                  std::string(log::max_text, 'x'));
  const auto stream = GENERATE(log::stream::out, log::stream::err);
  const auto partial = GENERATE(true, false);
  auto line = formatted({moment, stream, partial, text});
  line.pop_back();

  const auto back = log::parse(line);

  REQUIRE(back);
  CHECK(back->time == moment);
  CHECK(back->stream == stream);
  CHECK(back->partial == partial);
  CHECK(back->text == text);
}

TEST_CASE("what is not a record is not parsed", "[log]") {
  const auto line = GENERATE(
    as<std::string>{}, "", "hello", "2026-11-22T05:23:00Z stdout F",
    "2026-11-22T05:23:00Z stdout X text", "2026-11-22T05:23:00Z stdin F text",
    "2026-11-22T99:23:00Z stdout F text", "1795325000 stdout F text",
    "2026-11-22T05:23:00Z  stdout F text");

  CHECK_FALSE(log::parse(line));
}

} // namespace troupe::cri_test
