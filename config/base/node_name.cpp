#include "config/base/node_name.hpp"

#include "config/base/quote.hpp"

#include <string>

namespace troupe {

namespace {

/// One spelling per node: names are compared byte by byte.
bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

tl::unexpected<failure> refused_node(std::string_view name,
                                     std::string_view why) {
  auto what = "node name " + quote(name);
  return fail(fault::invalid_config, what.append(": ").append(why));
}

} // namespace

outcome check_node_name(std::string_view name) {
  if (name.empty())
    return refused_node(name, "expected at least one character, found none");
  if (name.size() > max_node_name)
    return refused_node(name,
                        "expected at most " + std::to_string(max_node_name)
                          + " bytes, found " + std::to_string(name.size()));
  if (!is_lower_or_digit(name.front()))
    return refused_node(name, "expected a lower-case letter or digit first, "
                              "found "
                                + quote(name.substr(0, 1)));
  for (const char& c : name)
    if (!is_lower_or_digit(c) && c != '-')
      return refused_node(name, "expected lower-case letters, digits and - "
                                "only, found "
                                  + quote({&c, 1}));
  return {};
}

} // namespace troupe
