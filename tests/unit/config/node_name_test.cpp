#include "config/base/node_name.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace troupe::node_name_test {

TEST_CASE("names of nodes are DNS labels in lower case") {
  for (const auto* name : {"a", "0", "web-1", "a-", "9--z"})
    CHECK(check_node_name(name));
  CHECK(check_node_name(std::string(max_node_name, 'x')));
}

TEST_CASE("other names of nodes are refused with what is wrong", "[rule-8]") {
  using namespace std::string_view_literals;
  struct row {
    std::string_view name;
    const char* what;
  };
  const std::vector<row> rows{
    {"", "node name '': expected at least one character, found none"},
    {"-a", "node name '-a': expected a lower-case letter or digit first, "
           "found '-'"},
    {"Web", "node name 'Web': expected a lower-case letter or digit first, "
            "found 'W'"},
    {"..", "node name '..': expected a lower-case letter or digit first, "
           "found '.'"},
    {"wEb", "node name 'wEb': expected lower-case letters, digits and - only, "
            "found 'E'"},
    {"a.b", "node name 'a.b': expected lower-case letters, digits and - only, "
            "found '.'"},
    {"a/b", "node name 'a/b': expected lower-case letters, digits and - only, "
            "found '/'"},
    {"a_b", "node name 'a_b': expected lower-case letters, digits and - only, "
            "found '_'"},
    {"a,b", "node name 'a,b': expected lower-case letters, digits and - only, "
            "found ','"},
    {"a\0b"sv, "node name 'a\\x00b': expected lower-case letters, digits and "
               "- only, found '\\x00'"},
  };
  for (const auto& [name, what] : rows) {
    const auto checked = check_node_name(name);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().what == what);
    CHECK(checked.error().code == fault::invalid_config);
  }
  CHECK(check_node_name(std::string(max_node_name + 1, 'x'))
          .error()
          .what.ends_with("expected at most 63 bytes, found 64"));
}

} // namespace troupe::node_name_test
