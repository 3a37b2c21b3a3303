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

result<std::string> read_bundle(const std::string& bundle) {
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
  return text;
}

/// Where config.json was read from; "": it came with the request, or is none.
std::string path_of_spec(const msg::compile_launch& x) {
  return x.bundle.empty() || !x.spec.empty() ? "" : x.bundle + "/config.json";
}

result<launch_documents> documents_of(const msg::compile_launch& x) {
  if (x.bundle.empty() == x.rootfs.empty())
    return fail(fault::invalid_config,
                "/bundle: expected either bundle or rootfs, found "
                  + std::string{x.bundle.empty() ? "neither" : "both"});
  auto out = launch_documents{x.spec, x.rootfs, x.options};
  if (!path_of_spec(x).empty()) {
    TROUPE_TRY(out.spec, read_bundle(x.bundle));
  }
  return out;
}

/// What to run: the bundle's config.json, the request's own in its place, or
/// the defaults around a rootfs.
result<oci::spec> spec_of(const launch_documents& in, const std::string& path) {
  if (in.spec.empty() && path.empty())
    return default_spec(in.rootfs);
  auto document = json::parse(in.spec);
  if (!document)
    return fail(path.empty() ? std::move(document).error()
                             : std::move(document).error().during(path));
  TROUPE_TRY(auto spec, oci::parse(*document));
  if (!in.rootfs.empty()) {
    if (!spec.root)
      spec.root.emplace();
    spec.root->path = in.rootfs;
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

const std::string& directory_of(const msg::compile_launch& x) {
  return x.bundle.empty() ? x.rootfs : x.bundle;
}

/// The root of a launch, whose own directory has to be there first.
result<sys::unique_fd> open_root(const msg::compile_launch& x,
                                 const oci::spec& spec) {
  const auto& directory = directory_of(x);
  TROUPE_CHECK(
    open_directory(x.bundle.empty() ? "/rootfs" : "/bundle", directory));
  return open_rootfs(spec, directory);
}

// -- exec ---------------------------------------------------------------------

/// The options' pointers are below /options; an exec request has none.
failure of_exec_request(failure why) {
  constexpr std::string_view prefix = "/options";
  if (why.what.starts_with(prefix))
    why.what.erase(0, prefix.size());
  return why;
}

/// Of the container's configuration, what an exec session goes by.
result<oci::spec> session_spec(const std::string& config) {
  TROUPE_TRY(auto spec, oci::parse(config));
  oci::spec out;
  out.root = std::move(spec.root);
  out.process = std::move(spec.process);
  return out;
}

result<oci::process> process_of(const msg::compile_exec& x, oci::spec spec) {
  const auto& what = x.what;
  if (what.args.empty())
    return fail(fault::invalid_config,
                "/args: expected at least one string, found none");
  run_options options;
  options.args = what.args;
  options.env = what.env;
  options.cwd = what.cwd;
  options.user = what.user;
  options.cap_add = what.cap_add;
  options.tty = what.tty;
  options.rows = what.rows;
  options.cols = what.cols;
  // The container's terminal is its init's.
  spec.process->terminal = false;
  spec.process->console_size.reset();
  TROUPE_TRY(const auto root, open_rootfs(spec, x.in->bundle));
  TROUPE_CHECK(apply_resolved(std::move(options), root.get(), spec));
  TROUPE_CHECK(oci::validate(*spec.process, ""));
  return *std::move(spec.process);
}

} // namespace

planning::planning(plan::host_facts host) : host_(std::move(host)) {
}

result<shared_configuration>
planning::configuration_of(const msg::compile_launch& x) {
  TROUPE_TRY(auto documents, documents_of(x));
  if (const auto* const known = configurations_.find(documents)) {
    TROUPE_CHECK(open_root(x, (*known)->spec));
    return *known;
  }
  TROUPE_TRY(auto spec, spec_of(documents, path_of_spec(x)));
  TROUPE_TRY(auto options, options_of(x.options));
  TROUPE_TRY(const auto root, open_root(x, spec));
  const auto looks_at_root = !options.user.empty();
  TROUPE_CHECK(apply_resolved(std::move(options), root.get(), spec));
  TROUPE_CHECK(oci::validate(spec));
  auto text = oci::to_json(spec).dump(-1, ' ', false,
                                      nlohmann::json::error_handler_t::replace);
  auto made = std::make_shared<const launch_configuration>(
    launch_configuration{std::move(spec), std::move(text)});
  if (looks_at_root) // whose users may change
    return made;
  return configurations_.keep(std::move(documents), std::move(made));
}

result<msg::compiled_launch> planning::launch(const msg::compile_launch& x) {
  TROUPE_TRY(const auto from, configuration_of(x));
  TROUPE_TRY(auto plan,
             plan::compile(from->spec, host_, x.id, directory_of(x)));
  return msg::compiled_launch{
    std::make_shared<const plan::launch_plan>(std::move(plan)),
    {from, &from->text}};
}

result<msg::compiled_exec> planning::exec(const msg::compile_exec& x) {
  const auto* spec = session_specs_.find(x.config);
  if (spec == nullptr) {
    TROUPE_TRY(auto parsed, session_spec(x.config));
    spec = &session_specs_.keep(x.config, std::move(parsed));
  }
  auto process = process_of(x, *spec);
  if (!process)
    return fail(of_exec_request(std::move(process).error()));
  TROUPE_TRY(auto plan, plan::compile_exec(*process, *x.in, host_, x.session));
  return msg::compiled_exec{
    std::make_shared<const plan::exec_plan>(std::move(plan))};
}

} // namespace troupe
