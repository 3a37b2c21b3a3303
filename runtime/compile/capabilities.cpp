#include "config/base/quote.hpp"
#include "config/oci/words.hpp"
#include "runtime/compile/facilities.hpp"

#include <algorithm>
#include <optional>
#include <sched.h>
#include <sys/capability.h>

// config.md, "Linux Process", since 1.1: a capability that the kernel does not
// know, or that cannot be granted, is a warning and not a failure, so that a
// config written for a full root works in a restricted environment too.
namespace troupe::plan {

namespace {

constexpr std::uint64_t bit(std::uint64_t number) noexcept {
  return std::uint64_t{1} << number;
}

std::optional<std::uint64_t> mask_of(const std::string& name) {
  cap_value_t number = 0;
  if (!name.starts_with("CAP_") || cap_from_name(name.c_str(), &number) != 0)
    return std::nullopt;
  return bit(static_cast<std::uint64_t>(number));
}

/// One warning per capability, not one per set that it is missing from.
void warn(warnings& to, std::string_view pointer, std::string_view name,
          std::string_view why) {
  auto text = std::string{pointer} + ": " + quote(name) + " " + std::string{why}
              + ", dropped";
  if (std::ranges::find(to, text) == to.end())
    to.push_back(std::move(text));
}

std::uint64_t compile_set(const std::vector<std::string>& names,
                          std::string_view pointer, std::uint64_t granted,
                          warnings& to) {
  std::uint64_t out = 0;
  for (const auto& name : names) {
    const auto mask = mask_of(name);
    if (!mask)
      warn(to, pointer, name, "is unknown");
    else if ((*mask & granted) == 0)
      warn(to, pointer, name, "cannot be granted on this host");
    else
      out |= *mask;
  }
  return out;
}

/// Takes from `set` what is not in `bound`, which the kernel demands.
void confine(std::uint64_t& set, std::uint64_t bound, std::string_view pointer,
             std::string_view why, warnings& to) {
  for (std::size_t number = 0; number != oci::words::capabilities.size();
       ++number)
    if ((set & ~bound & bit(number)) != 0)
      warn(to, pointer, oci::words::capabilities[number], why);
  set &= bound;
}

} // namespace

std::uint64_t grantable_capabilities(const host_facts& host,
                                     std::uint64_t own_namespaces) noexcept {
  const auto known = host.last_capability >= 63
                       ? ~0ULL
                       : bit(host.last_capability + 1) - 1;
  return (own_namespaces & CLONE_NEWUSER) != 0
           ? known
           : known & host.permitted_capabilities;
}

capability_sets compile_capabilities(const oci::capabilities& sets,
                                     std::string_view pointer,
                                     std::uint64_t granted, warnings& to) {
  const auto set = [&](const std::vector<std::string>& names) {
    return compile_set(names, pointer, granted, to);
  };
  capability_sets out;
  out.set = true;
  out.bounding = set(sets.bounding);
  out.permitted = set(sets.permitted);
  out.effective = set(sets.effective);
  out.inheritable = set(sets.inheritable);
  out.ambient = set(sets.ambient);
  // The rules of capset(2) and PR_CAP_AMBIENT_RAISE, capabilities(7), for a
  // process whose inheritable set is empty: broken, they are an EPERM.
  confine(out.effective, out.permitted, std::string{pointer} + "/effective",
          "is not in permitted", to);
  confine(out.inheritable, out.bounding, std::string{pointer} + "/inheritable",
          "is not in bounding", to);
  confine(out.ambient, out.permitted & out.inheritable,
          std::string{pointer} + "/ambient",
          "is not in permitted and inheritable", to);
  return out;
}

} // namespace troupe::plan
