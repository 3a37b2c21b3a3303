#include "config/oci/rules.hpp"

#include "config/base/quote.hpp"
#include "config/oci/words.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace troupe::oci::rules {

outcome check_words(const pointer& at, const std::vector<std::string>& values,
                    std::span<const std::string_view> allowed) {
  for (std::size_t i = 0; i < values.size(); ++i)
    TROUPE_CHECK(check_word(at / i, values[i], allowed));
  return {};
}

outcome check_environment(const pointer& at,
                          const std::vector<std::string>& env) {
  for (std::size_t i = 0; i < env.size(); ++i) {
    const auto name = env[i].find('=');
    if (name == std::string::npos)
      return refuse(at / i, "NAME=value", "no '='");
    if (name == 0)
      return refuse(at / i, "NAME=value", "no name");
  }
  return {};
}

// -- lists of processors ------------------------------------------------------

namespace {

std::optional<unsigned> take_number(std::string_view& text) {
  unsigned out = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  return out;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c))
    return false;
  text.remove_prefix(1);
  return true;
}

/// `7`, `0-3` or `0-31:2/4`
bool is_cpu_range(std::string_view text) {
  const auto first = take_number(text);
  if (!first)
    return false;
  if (!take(text, '-'))
    return text.empty();
  const auto last = take_number(text);
  if (!last || *last < *first)
    return false;
  if (!take(text, ':'))
    return text.empty();
  const auto used = take_number(text);
  if (!used || !take(text, '/'))
    return false;
  const auto group = take_number(text);
  return group && *group > 0 && *used <= *group && text.empty();
}

} // namespace

outcome check_cpu_list(const pointer& at, std::string_view list) {
  if (list.empty())
    return {};
  for (auto rest = list;;) {
    const auto comma = rest.find(',');
    if (!is_cpu_range(rest.substr(0, comma)))
      return refuse(at, "a list of numbers and ranges like 0-3,7", quote(list));
    if (comma == rest.npos)
      return {};
    rest.remove_prefix(comma + 1);
  }
}

// -- id mappings --------------------------------------------------------------

namespace {

/// UID_GID_MAP_MAX_EXTENTS since Linux 4.15.
constexpr std::size_t most_mappings = 340;

bool overlap(std::uint64_t a, std::uint64_t b, std::uint64_t a_size,
             std::uint64_t b_size) {
  return a < b + b_size && b < a + a_size;
}

outcome check_mapping(const pointer& at, const id_mapping& x) {
  // 2^32 - 1 is no id: it is the "leave unchanged" of setuid(2) and chown(2).
  constexpr std::uint64_t end = 0xffff'ffff;
  if (x.size == 0)
    return refuse(at / "size", "an integer from 1 to 4294967295", "0");
  if (std::uint64_t{x.container_id} + x.size > end)
    return refuse(at, "containerID + size of at most 4294967295", "more");
  if (std::uint64_t{x.host_id} + x.size > end)
    return refuse(at, "hostID + size of at most 4294967295", "more");
  return {};
}

} // namespace

outcome check_mappings(const pointer& at,
                       const std::vector<id_mapping>& mappings) {
  if (mappings.size() > most_mappings)
    return refuse(at, "at most 340 mappings", std::to_string(mappings.size()));
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const auto& x = mappings[i];
    TROUPE_CHECK(check_mapping(at / i, x));
    for (std::size_t j = 0; j < i; ++j) {
      const auto& y = mappings[j];
      if (overlap(x.container_id, y.container_id, x.size, y.size)
          || overlap(x.host_id, y.host_id, x.size, y.size))
        return refuse(at / i, "a range of its own",
                      "an overlap with " + (at / j).text());
    }
  }
  return {};
}

// -- namespaces ---------------------------------------------------------------

const namespace_entry* find(const linux_config& in, namespace_kind kind) {
  const auto i = std::ranges::find(in.namespaces, kind, &namespace_entry::kind);
  return i == in.namespaces.end() ? nullptr : &*i;
}

outcome check_has_namespace(const linux_config& in, namespace_kind kind,
                            const pointer& at) {
  if (find(in, kind))
    return {};
  const auto name = std::string{
    words::namespaces[static_cast<std::size_t>(kind)]};
  return refuse(at, "a " + name + " namespace in /linux/namespaces", "none");
}

} // namespace troupe::oci::rules
