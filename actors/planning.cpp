#include "actors/planning.hpp"

#include "config/base/quote.hpp"
#include "config/json/cursor.hpp"
#include "config/oci/parse.hpp"
#include "config/run_options.hpp"
#include "runtime/compile/compile.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/passwd.hpp"
#include "runtime/linux/regular_file.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <memory>
#include <utility>

namespace troupe {

namespace {

/// Whatever is wrong with what the request names is wrong with the request.
failure complaint(std::string_view pointer, failure why) {
  why.code = fault::invalid_config;
  return std::move(why).during(pointer);
}

result<sys::unique_fd> open_directory(std::string_view pointer,
                                      const std::string& path) {
  if (!path.starts_with('/'))
    return fail(fault::invalid_config, std::string{pointer}
                                         + ": expected an absolute path, found "
                                         + quote(path));
  auto out = sys::open_file(AT_FDCWD, path, O_PATH | O_DIRECTORY);
  if (!out)
    return fail(complaint(pointer, std::move(out).error()));
  return out;
}

// -- the spec -----------------------------------------------------------------

result<oci::spec> read_bundle(const std::string& bundle) {
  TROUPE_TRY(const auto directory, open_directory("/bundle", bundle));
  const auto path = bundle + "/config.json";
  const auto file = sys::open_file(directory.get(), "config.json",
                                   sys::untrusted_read);
  if (!file)
    return fail(
      complaint("/bundle", os_failure(file.error().os_errno, "open", path)));
  auto text = sys::read_regular(file->get(), path, json::max_document_size);
  if (!text)
    return fail(complaint("/bundle", std::move(text).error()));
  auto document = json::parse(*text);
  if (!document)
    return fail(std::move(document).error().during(path));
  return oci::parse(*document);
}

/// What to run: the bundle's config.json, the request's own in its place, or
/// the defaults around a rootfs.
result<oci::spec> spec_of(const msg::compile_launch& x) {
  if (x.bundle.empty() == x.rootfs.empty())
    return fail(fault::invalid_config,
                "/bundle: expected either bundle or rootfs, found "
                  + std::string{x.bundle.empty() ? "neither" : "both"});
  if (!x.bundle.empty() && x.spec.empty())
    return read_bundle(x.bundle);
  if (x.spec.empty()) {
    TROUPE_CHECK(open_directory("/rootfs", x.rootfs));
    return default_spec(x.rootfs);
  }
  TROUPE_TRY(auto spec, oci::parse(x.spec));
  if (!x.rootfs.empty()) {
    if (!spec.root)
      spec.root.emplace();
    spec.root->path = x.rootfs;
  }
  return spec;
}

result<run_options> options_of(const std::string& text) {
  if (text.empty())
    return run_options{};
  auto document = json::parse(text);
  if (!document)
    return fail(std::move(document).error().during("/options"));
  return parse_run_options(*document);
}

// -- the user -----------------------------------------------------------------

/// Resolves `options.user` in the root and applies everything.
outcome apply_resolved(run_options options, int root, oci::spec& to) {
  if (options.user.empty())
    return apply(options, to);
  auto who = sys::find_user(root, options.user);
  if (!who)
    return fail(complaint("/options/user", std::move(who).error()));
  options.user = std::to_string(who->uid);
  if (who->gid)
    options.user += ':' + std::to_string(*who->gid);
  TROUPE_CHECK(apply(options, to));
  to.process->user.additional_gids = std::move(who->groups);
  return {};
}

result<sys::unique_fd> open_rootfs(const oci::spec& spec,
                                   const std::string& bundle) {
  if (!spec.root)
    return fail(fault::invalid_config, "/root: missing, required on Linux");
  const auto& path = spec.root->path;
  return open_directory("/root/path",
                        path.starts_with('/') ? path : bundle + '/' + path);
}

// -- exec ---------------------------------------------------------------------

/// The options' pointers are below /options; an exec request has none.
failure of_exec_request(failure why) {
  constexpr std::string_view prefix = "/options";
  if (why.what.starts_with(prefix))
    why.what.erase(0, prefix.size());
  return why;
}

result<oci::process> process_of(const msg::compile_exec& x) {
  if (x.args.empty())
    return fail(fault::invalid_config,
                "/args: expected at least one string, found none");
  TROUPE_TRY(auto spec, oci::parse(x.config));
  run_options options;
  options.args = x.args;
  options.env = x.env;
  options.cwd = x.cwd;
  options.user = x.user;
  options.cap_add = x.cap_add;
  TROUPE_TRY(const auto root, open_rootfs(spec, x.in->bundle));
  TROUPE_CHECK(apply_resolved(std::move(options), root.get(), spec));
  // The container's terminal is its init's; a session has pipes.
  spec.process->terminal = false;
  spec.process->console_size.reset();
  TROUPE_CHECK(oci::validate(*spec.process, ""));
  return *std::move(spec.process);
}

} // namespace

result<msg::compiled_launch> plan_launch(const msg::compile_launch& x,
                                         const plan::host_facts& host) {
  const auto& bundle = x.bundle.empty() ? x.rootfs : x.bundle;
  TROUPE_TRY(auto spec, spec_of(x));
  TROUPE_TRY(auto options, options_of(x.options));
  TROUPE_CHECK(
    open_directory(x.bundle.empty() ? "/rootfs" : "/bundle", bundle));
  TROUPE_TRY(const auto root, open_rootfs(spec, bundle));
  TROUPE_CHECK(apply_resolved(std::move(options), root.get(), spec));
  TROUPE_CHECK(oci::validate(spec));
  TROUPE_TRY(auto plan, plan::compile(spec, host, x.id, bundle));
  return msg::compiled_launch{
    std::make_shared<const plan::launch_plan>(std::move(plan)),
    oci::to_json(spec).dump(2, ' ', false,
                            nlohmann::json::error_handler_t::replace)};
}

result<msg::compiled_exec> plan_exec(const msg::compile_exec& x,
                                     const plan::host_facts& host) {
  auto process = process_of(x);
  if (!process)
    return fail(of_exec_request(std::move(process).error()));
  TROUPE_TRY(auto plan, plan::compile_exec(*process, *x.in, host, x.session));
  return msg::compiled_exec{
    std::make_shared<const plan::exec_plan>(std::move(plan))};
}

} // namespace troupe
