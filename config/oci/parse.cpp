#include "config/oci/parse.hpp"

#include "config/base/quote.hpp"
#include "config/oci/fields.hpp"
#include "config/oci/words.hpp"

#include <algorithm>

namespace troupe::oci {

outcome read(const json::cursor& at, namespace_kind& out) {
  TROUPE_TRY(const auto word, at.string());
  const auto* i = std::ranges::find(words::namespaces, word);
  if (i == words::namespaces.end())
    return fail(fault::invalid_config, at.where().text() + ": expected one of "
                                         + joined(words::namespaces)
                                         + ", found " + quote(word));
  out = static_cast<namespace_kind>(i - words::namespaces.begin());
  return {};
}

namespace {

/// Destinations "MAY be relative, in which case they MUST be interpreted as
/// relative to /" (config.md, Mounts).
void make_absolute(mount& x) {
  if (!x.destination.empty() && x.destination.front() != '/')
    x.destination.insert(0, 1, '/');
}

/// podman and docker write -1 for "all"; the spec leaves the number out.
void drop_wildcards(device_rule& x) {
  if (x.major == -1)
    x.major.reset();
  if (x.minor == -1)
    x.minor.reset();
}

} // namespace

result<spec> parse(const nlohmann::json& document) {
  spec out;
  TROUPE_CHECK(json::read(json::cursor{document}, out));
  std::ranges::for_each(out.mounts, make_absolute);
  if (out.linux_.resources)
    std::ranges::for_each(out.linux_.resources->devices, drop_wildcards);
  return out;
}

result<spec> parse(std::string_view text) {
  TROUPE_TRY(const auto document, json::parse(text));
  return parse(document);
}

} // namespace troupe::oci
