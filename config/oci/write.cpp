#include "config/oci/fields.hpp"
#include "config/oci/parse.hpp"
#include "config/oci/words.hpp"

namespace troupe::oci {

nlohmann::json to_value(namespace_kind& value) {
  return words::namespaces[static_cast<std::size_t>(value)];
}

// The tables take their struct by non-const reference, for both directions:
// hence the copies.

nlohmann::json to_json(const spec& x) {
  auto copy = x;
  return json::to_value(copy);
}

nlohmann::json to_json(const process& x) {
  auto copy = x;
  return json::to_value(copy);
}

nlohmann::json to_json(const resources& x) {
  auto copy = x;
  return json::to_value(copy);
}

} // namespace troupe::oci
