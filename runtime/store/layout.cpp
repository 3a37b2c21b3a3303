#include "runtime/store/layout.hpp"

#include "config/base/quote.hpp"
#include "runtime/linux/file.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>

namespace troupe::store {

namespace {

constexpr std::size_t longest_version = 64;

result<std::uint32_t> parse_version(const std::string& path,
                                    const std::string& text) {
  std::uint32_t out = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  if (error == std::errc{} && std::string_view(at, end) == "\n")
    return out;
  return fail(fault::invalid_config,
              path + ": expected a number and a newline, found " + quote(text));
}

} // namespace

outcome claim_layout(const std::string& directory) {
  const auto path = directory + "/version";
  const auto text = sys::read_file(AT_FDCWD, path, longest_version);
  if (!text && text.error().os_errno == ENOENT)
    return sys::replace_file(AT_FDCWD, path,
                             std::to_string(layout_version) + "\n");
  if (!text)
    return fail(text.error());
  TROUPE_TRY(const auto found, parse_version(path, *text));
  if (found <= layout_version)
    return {};
  return fail(fault::unsupported,
              path + ": " + std::to_string(found)
                + ", of a later trouped; this one (" TROUPE_VERSION
                  ") reads up to "
                + std::to_string(layout_version)
                + ". Nothing was changed: start the later one again");
}

} // namespace troupe::store
