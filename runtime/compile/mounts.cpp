#include "config/oci/mount_options.hpp"
#include "runtime/compile/facilities.hpp"
#include "runtime/compile/pointer.hpp"

#include <algorithm>
#include <linux/mount.h>
#include <sys/mount.h>

namespace troupe::plan {

namespace {

mount_kind kind_of(const oci::mount& x, const oci::mount_options& options) {
  if (options.bind || x.type == "bind")
    return mount_kind::bind;
  if (x.type == "cgroup" || x.type == "cgroup2")
    return mount_kind::cgroup;
  return mount_kind::filesystem;
}

outcome refuse(const oci::mount& x, const oci::mount_options& options,
               const std::string& origin) {
  if (options.remount)
    return fail(fault::unsupported,
                origin + "/options: remount is not supported");
  if (options.idmap != oci::idmap_kind::none)
    return fail(fault::unsupported,
                origin + "/options: idmapped mounts are not supported yet");
  if (!x.uid_mappings.empty())
    return fail(fault::unsupported,
                origin + "/uidMappings: idmapped mounts are not supported yet");
  if (!x.gid_mappings.empty())
    return fail(fault::unsupported,
                origin + "/gidMappings: idmapped mounts are not supported yet");
  return {};
}

/// The words that only some kinds of mount need on top of the spec's.
void complete(mount& x) {
  // open_tree(2) clones into the peer group of its source, so a bind without a
  // word for it would carry the container's mounts to the host. Slave keeps
  // the other direction, which is what a copied mount namespace gives.
  if (x.kind == mount_kind::bind && x.propagation == 0) {
    x.propagation = MS_SLAVE;
    x.propagation_recursive = true;
  }
  // A read-only medium can only have a read-only superblock; a file system
  // without a device keeps its superblock writable behind a read-only mount.
  if (x.kind == mount_kind::filesystem && x.source.starts_with('/')
      && (x.attr_set & MOUNT_ATTR_RDONLY) != 0)
    x.data.emplace_back("ro");
}

result<mount> compile_mount(const oci::mount& x, const std::string& bundle,
                            std::string origin) {
  auto options = oci::split(x.options);
  TROUPE_CHECK(refuse(x, options, origin));
  mount out;
  out.kind = kind_of(x, options);
  if (out.kind == mount_kind::filesystem && x.type.empty())
    return fail(fault::invalid_config,
                origin
                  + "/type: missing, required unless the options have "
                    "bind or rbind");
  if (out.kind == mount_kind::bind && x.source.empty())
    return fail(fault::invalid_config,
                origin + "/source: missing, required for a bind mount");
  out.type = out.kind == mount_kind::filesystem ? x.type : "";
  out.source = out.kind == mount_kind::bind ? on_host(x.source, bundle)
                                            : x.source;
  out.target = in_container(x.destination);
  out.recursive = options.recursive;
  out.attr_set = options.attr_set;
  out.attr_clear = options.attr_clear;
  out.rec_attr_set = options.rec_attr_set;
  out.rec_attr_clear = options.rec_attr_clear;
  out.propagation = options.propagation;
  out.propagation_recursive = options.propagation_recursive;
  out.copy_up = options.copy_up;
  out.data = std::move(options.data);
  out.origin = std::move(origin);
  complete(out);
  return out;
}

/// config-linux.md, "Default Devices", need a /dev that is not the image's.
mount default_dev() {
  auto options = oci::split(
    {"nosuid", "strictatime", "mode=755", "size=65536k"});
  mount out;
  out.type = "tmpfs";
  out.source = "tmpfs";
  out.target = "/dev";
  out.attr_set = options.attr_set;
  out.attr_clear = options.attr_clear;
  out.data = std::move(options.data);
  return out;
}

} // namespace

result<std::vector<mount>> compile_mounts(const std::vector<oci::mount>& mounts,
                                          const std::string& bundle) {
  std::vector<mount> out;
  for (std::size_t i = 0; i != mounts.size(); ++i) {
    TROUPE_TRY(auto compiled,
               compile_mount(mounts[i], bundle, at("/mounts", i)));
    out.push_back(std::move(compiled));
  }
  if (std::ranges::find(out, "/dev", &mount::target) == out.end())
    out.insert(out.begin(), default_dev());
  return out;
}

bool has_own_dev(const std::vector<mount>& mounts) {
  const auto last = std::find_if(
    mounts.rbegin(), mounts.rend(),
    [](const mount& x) { return x.target == "/dev" || x.target == "/"; });
  return last != mounts.rend() && last->target == "/dev"
         && last->kind == mount_kind::filesystem && last->type == "tmpfs";
}

} // namespace troupe::plan
