#include "config/oci/fields.hpp"
#include "config/oci/parse.hpp"

namespace troupe::oci {

result<process> parse_process(const nlohmann::json& document,
                              std::string_view pointer) {
  process out;
  TROUPE_CHECK(json::read(json::cursor{document, json::pointer{pointer}}, out));
  return out;
}

} // namespace troupe::oci
