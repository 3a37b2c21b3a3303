#include "runtime/oci/bundle.hpp"

#include "config/json/cursor.hpp"
#include "config/oci/parse.hpp"
#include "runtime/compile/compile.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/regular_file.hpp"
#include "runtime/oci/filters.hpp"
#include "runtime/oci/own_program.hpp"
#include "runtime/probe/host.hpp"
#include "runtime/probe/systemd.hpp"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

namespace troupe::oci_runtime {

namespace {

result<std::string> absolute(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> out{
    ::realpath(path.empty() ? "." : path.c_str(), nullptr), std::free};
  if (!out)
    return fail_os(errno, "bundle", path);
  return std::string{out.get()};
}

} // namespace

result<bundle> read_bundle(const std::string& path) {
  bundle out;
  TROUPE_TRY(out.path, absolute(path));
  const auto file = out.path + "/config.json";
  TROUPE_TRY(const auto fd,
             sys::open_file(AT_FDCWD, file, sys::untrusted_read));
  TROUPE_TRY(out.config,
             sys::read_regular(fd.get(), file, json::max_document_size));
  auto document = json::parse(out.config);
  if (!document)
    return fail(std::move(document).error().during(file));
  TROUPE_TRY(out.spec, oci::parse(*document));
  TROUPE_CHECK(oci::validate(out.spec));
  return out;
}

result<plan::launch_plan> compile(const bundle& in, const std::string& id,
                                  const std::string& root,
                                  const plan_options& options) {
  auto spec = in.spec;
  auto host = sys::probe_host(default_cgroup_parent);
  if (options.no_cgroup) {
    host.cgroups = plan::cgroup_mode::none;
    spec.linux_.cgroups_path.clear();
    spec.linux_.resources.reset();
  }
  if (options.systemd_cgroup) {
    TROUPE_TRY(host.scope_helper, sys::find_scope_helper(own_directory()));
  }
  const filter_directory filters{root};
  TROUPE_TRY(auto out, plan::compile(spec, host, id, in.path,
                                     [&](const oci::seccomp& profile) {
                                       return filters.get(profile);
                                     }));
  out.rootfs.no_pivot = options.no_pivot;
  if (options.no_new_keyring)
    out.process.attributes.keyring.clear();
  return out;
}

} // namespace troupe::oci_runtime
