#include "runtime/cgroup/scope.hpp"

#include "config/base/quote.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::cgroup {

namespace {

using std::string_view;

constexpr string_view systemd_unlimited
  = "18446744073709551615"; // CGROUP_LIMIT_MAX

// -- names --------------------------------------------------------------------

tl::unexpected<failure> bad_scope_path(const std::string& found,
                                       const std::string& why) {
  return fail(fault::invalid_config,
              "/linux/cgroupsPath: expected slice:prefix:name, found "
                + quote(found) + ": " + why);
}

/// systemd.unit(5) has the characters; a dash in a slice's name is a level.
bool is_unit_name(string_view x) {
  return !x.empty() && std::ranges::all_of(x, [](unsigned char c) {
    return std::isalnum(c) != 0
           || string_view{":_.@\\-"}.find(static_cast<char>(c))
                != string_view::npos;
  });
}

bool is_slice(string_view x) {
  constexpr string_view ending = ".slice";
  if (!x.ends_with(ending) || !is_unit_name(x))
    return false;
  x.remove_suffix(ending.size());
  return x == "-"
         || (!x.empty() && !x.starts_with('-') && !x.ends_with('-')
             && x.find("--") == string_view::npos);
}

// -- annotations --------------------------------------------------------------

constexpr string_view property_prefix = "org.systemd.property.";

template <class T>
bool is_number(string_view text) {
  auto value = T{};
  const auto* const end = text.data() + text.size();
  const auto got = std::from_chars(text.data(), end, value);
  return got.ec == std::errc{} && got.ptr == end;
}

/// GVariant's text form, as far as runc's documentation asks for it: `uint64
/// 10`, `true`, `'text'`; a number alone is an int32.
std::optional<plan::unit_property> parse_property(string_view name,
                                                  string_view text) {
  plan::unit_property out{std::string{name}, "", std::string{text}};
  const auto typed = [&](string_view word, const char* type, auto is_valid) {
    if (!text.starts_with(word) || !is_valid(text.substr(word.size())))
      return false;
    out.type = type;
    out.value = text.substr(word.size());
    return true;
  };
  if (typed("uint64 ", "t", is_number<std::uint64_t>)
      || typed("uint32 ", "u", is_number<std::uint32_t>)
      || typed("int64 ", "x", is_number<std::int64_t>)
      || typed("int32 ", "i", is_number<std::int32_t>)
      || typed("", "i", is_number<std::int32_t>))
    return out;
  if (text == "true" || text == "false") {
    out.type = "b";
    return out;
  }
  if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"')
      && text.back() == text.front()) {
    out.type = "s";
    out.value = text.substr(1, text.size() - 2);
    return out;
  }
  return std::nullopt;
}

/// "TimeoutStopSec" in seconds is "TimeoutStopUSec" in microseconds on D-Bus.
void to_microseconds(plan::unit_property& x) {
  if (!x.name.ends_with("Sec") || x.name.ends_with("USec") || x.type == "s"
      || x.type == "b")
    return;
  x.name.insert(x.name.size() - 3, "U");
  x.type = "t";
  x.value += "000000";
}

outcome add_annotated(const oci::spec& spec,
                      std::vector<plan::unit_property>& to) {
  for (const auto& [key, text] : spec.annotations) {
    if (!key.starts_with(property_prefix))
      continue;
    const auto name = string_view{key}.substr(property_prefix.size());
    auto parsed = parse_property(name, text);
    if (!parsed || !std::ranges::all_of(name, [](unsigned char c) {
          return std::isalpha(c) != 0;
        }))
      return fail(fault::invalid_config,
                  "/annotations/" + key
                    + ": expected uint64 N, uint32 N, int32 N, true, false or "
                      "'text', found "
                    + quote(text));
    to_microseconds(*parsed);
    to.push_back(*std::move(parsed));
  }
  return {};
}

// -- limits -------------------------------------------------------------------

std::string limit_value(string_view text) {
  return std::string{text == "max" ? systemd_unlimited : text};
}

std::int64_t to_integer(string_view text) {
  auto out = std::int64_t{0};
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

/// "50000 100000" of cpu.max: of each second, in whole hundredths of it, as
/// systemd rounds.
void put_quota(string_view text, std::vector<plan::unit_property>& to) {
  constexpr std::int64_t second = 1'000'000;
  constexpr std::int64_t step = 10'000;
  constexpr std::int64_t usual_period = 100'000;
  const auto space = text.find(' ');
  const auto quota = text.substr(0, space);
  const auto period = space == text.npos ? usual_period
                                         : to_integer(text.substr(space + 1));
  if (period <= 0)
    return;
  if (quota == "max") {
    to.push_back({"CPUQuotaPerSecUSec", "t", std::string{systemd_unlimited}});
  } else {
    const auto each = to_integer(quota) * second / period;
    to.push_back({"CPUQuotaPerSecUSec", "t",
                  std::to_string((each + step - 1) / step * step)});
  }
  if (period != usual_period)
    to.push_back({"CPUQuotaPeriodUSec", "t", std::to_string(period)});
}

/// "0-2,5" as a bit mask in hexadecimal, the lowest byte first.
/// What no machine has is left out: the kernel refuses it, and says where.
std::string mask_of(string_view list) {
  constexpr std::int64_t most = 65536;
  std::vector<unsigned> bytes;
  while (!list.empty()) {
    const auto item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    const auto dash = item.find('-');
    const auto first = to_integer(item.substr(0, dash));
    const auto last = dash == item.npos ? first
                                        : to_integer(item.substr(dash + 1));
    for (auto i = std::max<std::int64_t>(first, 0); i <= last && i < most;
         ++i) {
      const auto at = static_cast<std::size_t>(i / 8);
      if (at >= bytes.size())
        bytes.resize(at + 1);
      bytes[at] |= 1U << (i % 8);
    }
  }
  std::string out;
  for (const auto byte : bytes) {
    constexpr string_view digits = "0123456789abcdef";
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

struct property_row {
  string_view file;
  const char* property;
};

constexpr std::array property_rows{
  property_row{"memory.max", "MemoryMax"},
  property_row{"memory.high", "MemoryHigh"},
  property_row{"memory.low", "MemoryLow"},
  property_row{"memory.min", "MemoryMin"},
  property_row{"memory.swap.max", "MemorySwapMax"},
  property_row{"pids.max", "TasksMax"},
  property_row{"cpu.weight", "CPUWeight"},
};

} // namespace

result<plan::systemd_scope> plan_scope(const oci::spec& spec,
                                       const plan::host_facts& host,
                                       const std::string& id) {
  if (host.cgroups != plan::cgroup_mode::v2)
    return fail(fault::unsupported,
                "--systemd-cgroup: needs a host whose cgroups are v2 alone, "
                "and root");
  const auto& found = spec.linux_.cgroups_path;
  auto words = std::array<std::string, 3>{"system.slice", "troupe", id};
  if (!found.empty()) {
    if (std::ranges::count(found, ':') != 2)
      return bad_scope_path(found,
                            "systemd makes the cgroup (--systemd-cgroup)");
    const auto first = found.find(':');
    const auto second = found.find(':', first + 1);
    if (first != 0)
      words[0] = found.substr(0, first);
    words[1] = found.substr(first + 1, second - first - 1);
    words[2] = found.substr(second + 1);
  }
  plan::systemd_scope out;
  out.helper = host.scope_helper;
  out.slice = words[0];
  out.unit = (words[1].empty() ? words[2] : words[1] + '-' + words[2])
             + ".scope";
  if (!is_slice(out.slice))
    return bad_scope_path(found, quote(out.slice) + " is no name of a slice");
  if (words[2].empty() || !is_unit_name(out.unit))
    return bad_scope_path(found, quote(out.unit) + " is no name of a scope");
  if (words[2].ends_with(".slice"))
    return bad_scope_path(found, "a container gets a scope, and no slice");
  out.description = "troupe container " + id;
  out.properties = {
    {"DefaultDependencies", "b", "false"},
    {"Delegate", "b", "true"},
    // Else a scope that has failed (an OOM) would stay, and its name with it.
    {"CollectMode", "s", "inactive-or-failed"},
  };
  TROUPE_CHECK(add_annotated(spec, out.properties));
  return out;
}

std::string path_of(const plan::systemd_scope& x) {
  std::string out;
  if (x.slice != "-.slice")
    for (auto dash = x.slice.find('-');; dash = x.slice.find('-', dash + 1)) {
      const auto is_whole = dash == std::string::npos;
      out += '/' + (is_whole ? x.slice : x.slice.substr(0, dash) + ".slice");
      if (is_whole)
        break;
    }
  return out + '/' + x.unit;
}

std::vector<plan::unit_property>
properties_of(const std::vector<plan::cgroup_write>& v2_writes) {
  std::vector<plan::unit_property> out;
  for (const auto& [dir, file, value, origin] : v2_writes) {
    const auto* const row = std::ranges::find(property_rows, file,
                                              &property_row::file);
    if (row != property_rows.end())
      out.push_back({row->property, "t", limit_value(value)});
    else if (file == "cpu.max")
      put_quota(value, out);
    else if (file == "cpuset.cpus")
      out.push_back({"AllowedCPUs", "ay", mask_of(value)});
    else if (file == "cpuset.mems")
      out.push_back({"AllowedMemoryNodes", "ay", mask_of(value)});
  }
  return out;
}

} // namespace troupe::cgroup
