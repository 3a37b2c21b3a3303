#include "config/json/checks.hpp"

#include "config/base/quote.hpp"

#include <algorithm>
#include <string>

namespace troupe::json {

tl::unexpected<failure> refuse(const pointer& at, std::string_view expected,
                               std::string_view found) {
  auto what = at.text() + ": expected ";
  what.append(expected).append(", found ").append(found);
  return fail(fault::invalid_config, std::move(what));
}

outcome check_word(const pointer& at, std::string_view value,
                   std::span<const std::string_view> allowed) {
  if (std::ranges::find(allowed, value) != allowed.end())
    return {};
  return refuse(at, "one of " + joined(allowed), quote(value));
}

outcome check_range(const pointer& at, std::int64_t value, std::int64_t least,
                    std::int64_t most) {
  if (value >= least && value <= most)
    return {};
  return refuse(at,
                "an integer from " + std::to_string(least) + " to "
                  + std::to_string(most),
                std::to_string(value));
}

outcome check_absolute(const pointer& at, std::string_view path) {
  if (path.starts_with('/'))
    return {};
  return refuse(at, "an absolute path", quote(path));
}

} // namespace troupe::json
