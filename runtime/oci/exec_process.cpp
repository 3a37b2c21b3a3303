#include "runtime/oci/exec_process.hpp"

#include "config/base/quote.hpp"
#include "config/json/cursor.hpp"
#include "config/oci/parse.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/regular_file.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::oci_runtime {

namespace {

result<oci::process> from_file(const std::string& path) {
  TROUPE_TRY(const auto file,
             sys::open_file(AT_FDCWD, path, sys::untrusted_read));
  TROUPE_TRY(const auto text,
             sys::read_regular(file.get(), path, json::max_document_size));
  auto document = json::parse(text);
  if (!document)
    return fail(std::move(document).error().during(path));
  auto out = oci::parse_process(*document, "");
  return out ? out : fail(std::move(out).error().during(path));
}

result<std::uint32_t> id_of(std::string_view text, std::string_view flag) {
  std::uint32_t out = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || at != end || text.empty())
    return fail(fault::invalid_config, std::string{flag}
                                         + ": expected a number, found "
                                         + quote(text));
  return out;
}

outcome set_user(oci::user& to, const exec_options& x) {
  if (!x.user.empty()) {
    const auto colon = x.user.find(':');
    TROUPE_TRY(to.uid, id_of(x.user.substr(0, colon), "--user"));
    if (colon != std::string::npos) {
      TROUPE_TRY(to.gid, id_of(x.user.substr(colon + 1), "--user"));
    }
  }
  for (const auto& each : x.additional_gids) {
    TROUPE_TRY(const auto gid, id_of(each, "--additional-gids"));
    to.additional_gids.push_back(gid);
  }
  return {};
}

void add_capabilities(oci::process& to, const std::vector<std::string>& names) {
  if (names.empty())
    return;
  auto& sets = to.capabilities ? *to.capabilities : to.capabilities.emplace();
  for (auto* set : {&sets.bounding, &sets.effective, &sets.permitted})
    for (const auto& name : names)
      if (std::ranges::find(*set, name) == set->end())
        set->push_back(name);
}

result<oci::process> from_flags(const store::directory& in,
                                const std::string& id, const exec_options& x) {
  if (x.args.empty())
    return fail(fault::invalid_config,
                "a command, or --process, is needed: exec CONTAINER CMD...");
  TROUPE_TRY(const auto config, in.read_config(id));
  TROUPE_TRY(const auto spec, oci::parse(config));
  auto out = spec.process.value_or(oci::process{});
  out.args = x.args;
  out.terminal = x.tty;
  if (!x.tty)
    out.console_size.reset();
  if (!x.cwd.empty())
    out.cwd = x.cwd;
  if (out.cwd.empty())
    out.cwd = "/";
  out.env.insert(out.env.end(), x.env.begin(), x.env.end());
  out.no_new_privileges = out.no_new_privileges || x.no_new_privs;
  if (!x.apparmor.empty())
    out.apparmor_profile = x.apparmor;
  if (!x.process_label.empty())
    out.selinux_label = x.process_label;
  TROUPE_CHECK(set_user(out.user, x));
  add_capabilities(out, x.capabilities);
  return out;
}

} // namespace

result<oci::process> exec_process(const store::directory& in,
                                  const std::string& id,
                                  const exec_options& options) {
  TROUPE_TRY(auto out, options.process_file.empty()
                         ? from_flags(in, id, options)
                         : from_file(options.process_file));
  out.terminal = out.terminal || options.tty;
  TROUPE_CHECK(oci::validate(out, ""));
  if (out.args.empty())
    return fail(fault::invalid_config,
                "/args: expected at least one string, found none");
  return out;
}

} // namespace troupe::oci_runtime
