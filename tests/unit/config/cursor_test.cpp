#include "config/json/cursor.hpp"

#include <catch2/catch.hpp>

namespace troupe::cursor_test {

using json::cursor;

TEST_CASE("a pointer escapes tilde and slash") {
  const json::pointer at;
  CHECK((at / "a/b" / "c~d" / std::size_t{3}).text() == "/a~1b/c~0d/3");
  CHECK((json::pointer{"/x"} / "").text() == "/x/");
}

TEST_CASE("a cursor knows the address of what is absent") {
  const auto document = nlohmann::json::parse(R"({"a": {"b": null}})");
  const cursor at{document};
  CHECK_FALSE(at["a"]["b"]);
  CHECK_FALSE(at["x"]["y"]);
  CHECK(at["x"]["y"].string().error().what
        == "/x/y: expected a string, found nothing");
}

TEST_CASE("every reader refuses every other type") {
  const auto document = nlohmann::json::parse(
    R"({"bool": true, "number": 1.5, "string": "s", "array": [], "object": {}})");
  const cursor at{document};
  for (const auto* name : {"bool", "number", "string", "array", "object"}) {
    const auto is = [&](std::string_view type) { return type == name; };
    CAPTURE(name);
    CHECK(at[name].boolean().has_value() == is("bool"));
    CHECK(at[name].number().has_value() == is("number"));
    CHECK(at[name].string().has_value() == is("string"));
    CHECK(at[name].array().has_value() == is("array"));
    CHECK(at[name].object().has_value() == is("object"));
    CHECK_FALSE(at[name].natural(9));
    CHECK_FALSE(at[name].integer(0, 9));
  }
}

TEST_CASE("integers are read up to the ends of their types") {
  const auto document = nlohmann::json::parse(
    "[-9223372036854775808, 9223372036854775807, 18446744073709551615, "
    "18446744073709551616]");
  const cursor at{document};
  std::int64_t value = 0;
  CHECK(read(at[0], value));
  CHECK(value == std::numeric_limits<std::int64_t>::min());
  CHECK(read(at[1], value));
  CHECK(value == std::numeric_limits<std::int64_t>::max());
  CHECK_FALSE(read(at[2], value));
  std::uint64_t natural = 0;
  CHECK(read(at[2], natural));
  CHECK(natural == std::numeric_limits<std::uint64_t>::max());
  CHECK_FALSE(read(at[3], natural));
}

TEST_CASE("a natural number may have been made from a signed one") {
  const nlohmann::json document{{"signed", 5}, {"negative", -5}};
  const cursor at{document};
  CHECK(at["signed"].natural(5).value() == 5);
  CHECK_FALSE(at["signed"].natural(4));
  CHECK_FALSE(at["negative"].natural(5));
}

TEST_CASE("containers are read element by element") {
  const auto document = nlohmann::json::parse(
    R"({"list": [1, 2], "map": {"a/b": 3, "c": "x"}})");
  const cursor at{document};
  std::vector<std::uint16_t> list;
  CHECK(read(at["list"], list));
  CHECK(list == std::vector<std::uint16_t>{1, 2});
  std::map<std::string, std::uint16_t> map;
  CHECK(read(at["map"], map).error().what
        == "/map/c: expected an integer from 0 to 65535, found string");
}

TEST_CASE("a document may be as deep as the limit and no deeper") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(json::parse(nested(json::max_document_depth)));
  const auto refused = json::parse(nested(json::max_document_depth + 1));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what
        == "line 1, column 65: expected at most 64 levels of nesting, found "
           "more");
  CHECK_FALSE(json::parse(std::string(1'000'000, '[')));
  CHECK(json::parse("[\"" + std::string(100, '[') + "\\\"[\"]"));
}

TEST_CASE("a document larger than the limit is refused unread") {
  const std::string huge(json::max_document_size + 1, ' ');
  CHECK(json::parse(huge).error().what
        == "document: expected at most 16777216 bytes, found 16777217");
}

TEST_CASE("of a key given twice the last one counts") {
  CHECK(json::parse(R"({"a": 1, "a": 2})").value()["a"] == 2);
}

TEST_CASE("a parse failure is printable whatever the text was") {
  const auto failed = json::parse("{\"a\": \"\xc3\x28\x01\"}");
  REQUIRE_FALSE(failed);
  for (const char c : failed.error().what)
    CHECK((c >= ' ' && c <= '~'));
}

} // namespace troupe::cursor_test
