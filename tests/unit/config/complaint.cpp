#include "tests/unit/config/complaint.hpp"

#include "config/oci/parse.hpp"
#include "tests/unit/config/full_document.hpp"

#include <catch2/catch.hpp>

namespace troupe::test {

std::string complaint(const oci::spec& spec) {
  const auto checked = oci::validate(spec);
  return checked ? "" : checked.error().what;
}

std::string complaint(const char* pointer, const nlohmann::json& value) {
  auto document = full_document();
  const nlohmann::json::json_pointer at{pointer};
  if (value.is_discarded())
    document[at.parent_pointer()].erase(at.back());
  else
    document[at] = value;
  const auto spec = oci::parse(document);
  REQUIRE(spec);
  return complaint(*spec);
}

void check(const std::vector<row>& rows) {
  for (const auto& [pointer, value, what] : rows) {
    CAPTURE(pointer, value.is_discarded() ? "removed" : value.dump());
    CHECK(complaint(pointer, value) == what);
  }
}

} // namespace troupe::test
