#include "config/base/quote.hpp"
#include "config/oci/parse.hpp"
#include "config/oci/rules.hpp"
#include "config/oci/words.hpp"

#include <algorithm>
#include <array>

namespace troupe::oci {

namespace rules {

namespace {

// -- ociVersion ---------------------------------------------------------------

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_identifier_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || c == '-';
}

/// Digits without a leading zero.
bool is_numeric(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit)
         && (text.size() == 1 || text.front() != '0');
}

/// The text up to `end`, which is cut off `rest` together with it.
std::string_view take_until(std::string_view& rest, char end) {
  const auto at = rest.find(end);
  const auto out = rest.substr(0, at);
  rest.remove_prefix(at == rest.npos ? rest.size() : at + 1);
  return out;
}

/// Dot-separated, none empty; a pre-release has no leading zeros.
bool are_identifiers(std::string_view text, bool pre_release) {
  do {
    const auto one = take_until(text, '.');
    if (one.empty() || !std::ranges::all_of(one, is_identifier_character))
      return false;
    if (pre_release && std::ranges::all_of(one, is_digit) && !is_numeric(one))
      return false;
  } while (!text.empty());
  return true;
}

/// https://semver.org/spec/v2.0.0.html: MAJOR.MINOR.PATCH[-pre][+build]
bool is_semver(std::string_view text) {
  if (text.ends_with('.'))
    return false;
  const auto build = text.find('+');
  if (build != text.npos && !are_identifiers(text.substr(build + 1), false))
    return false;
  text = text.substr(0, build);
  const auto pre = text.find('-');
  if (pre != text.npos && !are_identifiers(text.substr(pre + 1), true))
    return false;
  text = text.substr(0, pre);
  if (std::ranges::count(text, '.') != 2 || text.ends_with('.'))
    return false;
  return is_numeric(take_until(text, '.')) && is_numeric(take_until(text, '.'))
         && is_numeric(text);
}

outcome check_version(const spec& x) {
  const pointer at{"/ociVersion"};
  if (!is_semver(x.oci_version))
    return refuse(at, "a SemVer 2.0.0 version", quote(x.oci_version));
  if (!x.oci_version.starts_with("1."))
    return refuse(at, "a version from 1.0.0 to below 2.0.0",
                  quote(x.oci_version));
  return {};
}

// -- root, names, annotations -------------------------------------------------

outcome check_root(const spec& x) {
  if (!x.root)
    return refuse(pointer{"/root"}, "an object", "nothing");
  if (x.root->path.empty())
    return refuse(pointer{"/root/path"}, "a path", "''");
  return {};
}

/// sethostname(2) and setdomainname(2) take at most 64 bytes.
outcome check_name(const spec& x, const pointer& at, const std::string& name) {
  constexpr std::size_t longest = 64;
  if (name.empty())
    return {};
  if (name.size() > longest)
    return refuse(at, "at most 64 bytes", std::to_string(name.size()));
  return check_has_namespace(x.linux_, namespace_kind::uts, at);
}

outcome check_annotations(const spec& x) {
  if (!x.annotations.contains(""))
    return {};
  return refuse(pointer{"/annotations"}, "keys that are not empty", "''");
}

// -- hooks --------------------------------------------------------------------

outcome check_hook(const pointer& at, const hook& x) {
  TROUPE_CHECK(check_absolute(at / "path", x.path));
  TROUPE_CHECK(check_environment(at / "env", x.env));
  if (x.timeout && *x.timeout <= 0)
    return refuse(at / "timeout", "an integer from 1 to 2147483647",
                  std::to_string(*x.timeout));
  return {};
}

struct hook_list {
  std::string_view name;
  std::vector<hook> hooks::*list;
};

constexpr std::array hook_lists{
  hook_list{"prestart", &hooks::prestart},
  hook_list{"createRuntime", &hooks::create_runtime},
  hook_list{"createContainer", &hooks::create_container},
  hook_list{"startContainer", &hooks::start_container},
  hook_list{"poststart", &hooks::poststart},
  hook_list{"poststop", &hooks::poststop},
};

outcome check_hooks(const spec& x) {
  for (const auto& [name, list] : hook_lists) {
    const auto at = pointer{"/hooks"} / name;
    for (std::size_t i = 0; i < (x.hooks.*list).size(); ++i)
      TROUPE_CHECK(check_hook(at / i, (x.hooks.*list)[i]));
  }
  return {};
}

} // namespace

} // namespace rules

outcome validate(const spec& x) {
  TROUPE_CHECK(rules::check_version(x));
  TROUPE_CHECK(rules::check_root(x));
  if (x.process)
    TROUPE_CHECK(rules::check_process(*x.process, json::pointer{"/process"}));
  TROUPE_CHECK(rules::check_name(x, json::pointer{"/hostname"}, x.hostname));
  TROUPE_CHECK(
    rules::check_name(x, json::pointer{"/domainname"}, x.domainname));
  TROUPE_CHECK(rules::check_mounts(x));
  TROUPE_CHECK(rules::check_hooks(x));
  TROUPE_CHECK(rules::check_annotations(x));
  return rules::check_linux(x.linux_);
}

outcome validate(const process& x, std::string_view pointer) {
  return rules::check_process(x, json::pointer{pointer});
}

outcome validate(const resources& x, std::string_view pointer) {
  return rules::check_resources(x, json::pointer{pointer});
}

std::vector<std::string> unknown_capabilities(const process& x) {
  std::vector<std::string> out;
  if (!x.capabilities)
    return out;
  const auto& sets = *x.capabilities;
  for (const auto* set : {&sets.effective, &sets.bounding, &sets.inheritable,
                          &sets.permitted, &sets.ambient})
    for (const auto& name : *set)
      if (std::ranges::find(words::capabilities, name)
            == words::capabilities.end()
          && std::ranges::find(out, name) == out.end())
        out.push_back(name);
  return out;
}

} // namespace troupe::oci
