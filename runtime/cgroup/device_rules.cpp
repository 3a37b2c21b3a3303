#include "runtime/cgroup/device_rules.hpp"

#include "config/base/quote.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

namespace troupe::cgroup {

namespace {

constexpr auto of_default = ~std::uint32_t{0};

/// mknod of anything is harmless without the right to open it; then null, zero,
/// full, random, urandom, tty, console, ptmx and the pseudo-terminals.
const std::vector<device_line> default_devices{
  {true, 'c', {}, {}, device_mknod, of_default},
  {true, 'b', {}, {}, device_mknod, of_default},
  {true, 'c', 1, 3, device_all, of_default},
  {true, 'c', 1, 5, device_all, of_default},
  {true, 'c', 1, 7, device_all, of_default},
  {true, 'c', 1, 8, device_all, of_default},
  {true, 'c', 1, 9, device_all, of_default},
  {true, 'c', 5, 0, device_all, of_default},
  {true, 'c', 5, 2, device_all, of_default},
  {true, 'c', 136, {}, device_all, of_default},
  {true, 'c', 10, 200, device_all, of_default}, // /dev/net/tun, as runc's
};

struct access_row {
  char letter;
  std::uint8_t bit;
};

constexpr access_row accesses[] = {
  {'r', device_read},
  {'w', device_write},
  {'m', device_mknod},
};

tl::unexpected<failure> bad_rule(std::size_t index, std::string_view member,
                                 const std::string& found,
                                 std::string_view allowed) {
  return fail(fault::invalid_config, "/linux/resources/devices/"
                                       + std::to_string(index) + "/"
                                       + std::string{member} + ": " + found
                                       + ": must be " + std::string{allowed});
}

/// "" is all access: the spec leaves it open, runc denies and allows all.
result<std::uint8_t> access_bits(std::string_view text, std::size_t index) {
  auto bits = std::uint8_t{0};
  for (const auto letter : text) {
    const auto* const row = std::ranges::find(accesses, letter,
                                              &access_row::letter);
    if (row == std::end(accesses))
      return bad_rule(index, "access", quote(text), "of the letters rwm");
    bits |= row->bit;
  }
  return bits == 0 ? device_all : bits;
}

using number = std::optional<std::uint32_t>;

/// -1 is how Go's JSON writers say "any".
result<number> device_number(const std::optional<std::int64_t>& x,
                             std::string_view member, std::size_t index) {
  if (!x || *x == -1)
    return number{};
  if (*x < 0 || *x > std::numeric_limits<std::uint32_t>::max())
    return bad_rule(index, member, std::to_string(*x), "a device number");
  return number{static_cast<std::uint32_t>(*x)};
}

/// Adds the lines of one rule: two if it means both kinds of device, but not
/// all of them or not all access.
outcome add_lines(std::vector<device_line>& to, const oci::device_rule& rule,
                  std::size_t index) {
  TROUPE_TRY(const auto access, access_bits(rule.access, index));
  TROUPE_TRY(const auto major, device_number(rule.major, "major", index));
  TROUPE_TRY(const auto minor, device_number(rule.minor, "minor", index));
  const auto type = rule.type.empty() ? std::string{"a"} : rule.type;
  if (type != "a" && type != "b" && type != "c")
    return bad_rule(index, "type", quote(type), "a, b or c");
  const auto source = static_cast<std::uint32_t>(index);
  auto line = device_line{rule.allow, type[0], major, minor, access, source};
  if (type != "a" || (!major && !minor && access == device_all)) {
    to.push_back(line);
    return {};
  }
  for (const auto kind : {'c', 'b'}) {
    line.type = kind;
    to.push_back(line);
  }
  return {};
}

bool same_ids(const device_line& a, const device_line& b) {
  return a.type == b.type && a.major == b.major && a.minor == b.minor;
}

/// What is missing of the default devices after `lines`. Engines list them
/// themselves, and each line more is a system call more.
std::vector<device_line>
missing_defaults(const std::vector<device_line>& lines) {
  const auto last = std::find_if(lines.rbegin(), lines.rend(),
                                 [](auto& x) { return x.type == 'a'; });
  if (last == lines.rend() || last->allow)
    return {};
  const auto only_allows = std::all_of(lines.rbegin(), last,
                                       [](auto& x) { return x.allow; });
  auto out = std::vector<device_line>{};
  for (const auto& wanted : default_devices) {
    const auto given = std::any_of(lines.rbegin(), last, [&](auto& x) {
      return same_ids(x, wanted) && (wanted.access & ~x.access) == 0;
    });
    if (!(only_allows && given))
      out.push_back(wanted);
  }
  return out;
}

bool overlap(const number& a, const number& b) {
  return !a || !b || *a == *b;
}

bool overlap(const device_line& a, const device_line& b) {
  return a.type == b.type && overlap(a.major, b.major)
         && overlap(a.minor, b.minor) && (a.access & b.access) != 0;
}

std::string id_text(const number& x) {
  return x ? std::to_string(*x) : "*";
}

/// The word up to `end` of `rest`, which loses it.
std::string_view next(std::string_view& rest, char end) {
  const auto size = std::min(rest.find(end), rest.size());
  const auto word = rest.substr(0, size);
  rest.remove_prefix(std::min(size + 1, rest.size()));
  return word;
}

bool read_id(std::string_view text, number& to) {
  if (text == "*")
    return true;
  const auto* const end = text.data() + text.size();
  return std::from_chars(text.data(), end, to.emplace()).ptr == end
         && !text.empty();
}

result<device_line> parse_line(std::string_view line) {
  const auto whole = line;
  const auto malformed = [&] {
    return fail(fault::invalid_config, "device rule: " + quote(whole));
  };
  auto out = device_line{};
  const auto verb = next(line, ' ');
  const auto type = next(line, ' ');
  const auto major = next(line, ':');
  const auto minor = next(line, ' ');
  const auto access = access_bits(line, 0);
  if ((verb != "allow" && verb != "deny") || type.size() != 1 || !access
      || !read_id(major, out.major) || !read_id(minor, out.minor))
    return malformed();
  out.allow = verb == "allow";
  out.type = type[0];
  out.access = *access;
  return out;
}

} // namespace

result<std::vector<device_line>>
device_lines(const std::vector<oci::device_rule>& rules) {
  auto out = std::vector<device_line>{};
  for (auto i = std::size_t{0}; i < rules.size(); ++i)
    TROUPE_CHECK(add_lines(out, rules[i], i));
  std::ranges::copy(missing_defaults(out), std::back_inserter(out));
  return out;
}

outcome check_v1_list(const std::vector<device_line>& lines) {
  auto exceptions = std::vector<device_line>{};
  auto default_allow = true;
  for (const auto& line : lines) {
    if (line.type == 'a') {
      exceptions.clear();
      default_allow = line.allow;
    } else if (line.allow != default_allow) {
      exceptions.push_back(line);
    } else {
      for (auto& x : exceptions) {
        if (!overlap(x, line))
          continue;
        if (!same_ids(x, line))
          return fail(fault::unsupported,
                      "/linux/resources/devices/" + std::to_string(line.source)
                        + ": " + quote(to_string(line))
                        + ": cgroup v1 cannot make an exception to "
                        + quote(to_string(x)));
        x.access &= static_cast<std::uint8_t>(~line.access);
      }
    }
  }
  return {};
}

std::string to_string(const device_line& line) {
  auto out = std::string{line.type} + " " + id_text(line.major) + ":"
             + id_text(line.minor) + " ";
  for (const auto& [letter, bit] : accesses)
    if ((line.access & bit) != 0)
      out += letter;
  return out;
}

result<std::vector<device_line>> from_text(std::string_view text) {
  auto out = std::vector<device_line>{};
  while (!text.empty()) {
    TROUPE_TRY(auto line, parse_line(next(text, '\n')));
    out.push_back(line);
  }
  return out;
}

std::string to_text(const std::vector<device_line>& lines) {
  auto out = std::string{};
  for (const auto& line : lines)
    out += (line.allow ? "allow " : "deny ") + to_string(line) + "\n";
  if (!out.empty())
    out.pop_back();
  return out;
}

} // namespace troupe::cgroup
