#include "config/oci/fields.hpp"
#include "config/oci/parse.hpp"

namespace troupe::oci {

result<resources> parse_resources(const nlohmann::json& document,
                                  std::string_view pointer) {
  resources out;
  TROUPE_CHECK(json::read(json::cursor{document, json::pointer{pointer}}, out));
  return out;
}

} // namespace troupe::oci
