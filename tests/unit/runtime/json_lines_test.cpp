#include "runtime/log/json_lines.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <random>

namespace troupe::json_lines_test {

namespace {

constexpr time_ns moment = 1'795'325'000'000'000'001;

std::string written(std::string_view text, bool partial = false) {
  std::string out;
  log::append_json(out, rfc3339(moment), log::stream::err, "", text, partial);
  REQUIRE(out.ends_with('\n'));
  out.pop_back();
  return out;
}

} // namespace

TEST_CASE("a record is docker's", "[log]") {
  CHECK(written("say \"hi\"\\")
        == R"({"log":"say \"hi\"\\\n","stream":"stderr","time":")"
             + rfc3339(moment) + "\"}");
  const auto parsed = nlohmann::json::parse(
    written("\x01\t\r\x7f \u00e4\u20ac"));
  CHECK(parsed["log"] == "\x01\t\r\x7f \u00e4\u20ac\n");
  CHECK(parsed["stream"] == "stderr");
}

TEST_CASE("any bytes come back as they were", "[log]") {
  std::mt19937 random{7};
  for (auto round = 0; round < 2000; ++round) {
    std::string text(random() % 40, '\0');
    for (auto& each : text)
      each = static_cast<char>(random() % 4 == 0 ? random()
                                                 : random() % 96 + 32);
    std::erase(text, '\n');
    const auto partial = round % 2 == 0;
    std::string kept;
    const auto back = log::parse_json(written(text, partial), kept);
    REQUIRE(back);
    CHECK(back->text == text);
    CHECK(back->partial == partial);
    CHECK(back->time == moment);
    CHECK(back->stream == log::stream::err);
  }
}

TEST_CASE("bytes that are not UTF-8 are escaped, characters are not", "[log]") {
  CHECK(written("\xff\xc3", true).find(R"("\udcff\udcc3")")
        != std::string::npos);
  CHECK(written("\xed\xa0\x80", true).find(R"(\udced\udca0\udc80)")
        != std::string::npos); // a surrogate
  CHECK(written("\xc0\x80", true).find(R"(\udcc0\udc80)") != std::string::npos);
  CHECK(written("\xf0\x9f\x98\x80", true).find("\xf0\x9f\x98\x80")
        != std::string::npos);
}

TEST_CASE("what docker has written is read", "[log]") {
  std::string text;
  const auto back = log::parse_json(
    R"({"log":"\u003cp\u003e \ud83d\ude00\/\b\n","stream":"stdout",)"
    R"("time":"2026-11-22T05:23:00.000000001Z"})",
    text);
  REQUIRE(back);
  CHECK(back->text == "<p> \xf0\x9f\x98\x80/\b");
  CHECK_FALSE(back->partial);
}

TEST_CASE("what is no record is none", "[log]") {
  std::string text;
  const auto whole = written("abc\\\xff");
  for (std::size_t size = 0; size + 2 < whole.size(); ++size)
    CHECK_FALSE(log::parse_json(whole.substr(0, size), text));
  for (const auto* line :
       {"", "{}", "2026-11-22T05:23:00Z stdout F x",
        R"({"log":"\x","stream":"stdout","time":"2026-11-22T05:23:00Z"})",
        R"({"log":"\ud83d","stream":"stdout","time":"2026-11-22T05:23:00Z"})",
        R"({"log":"x","stream":"other","time":"2026-11-22T05:23:00Z"})",
        R"({"log":"x","stream":"stdout","time":"yesterday"})"})
    CHECK_FALSE(log::parse_json(line, text));
}

} // namespace troupe::json_lines_test
