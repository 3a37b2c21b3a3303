#include "config/base/quote.hpp"
#include "config/oci/mount_options.hpp"
#include "runtime/compile/facilities.hpp"
#include "runtime/compile/pointer.hpp"

#include <algorithm>
#include <linux/mount.h>
#include <sys/mount.h>

namespace troupe::plan {

namespace {

mount_kind kind_of(const oci::mount& x, const oci::mount_options& options) {
  if (options.remount)
    return mount_kind::remount;
  if (options.bind || x.type == "bind")
    return mount_kind::bind;
  if (x.type == "cgroup" || x.type == "cgroup2")
    return mount_kind::cgroup;
  return mount_kind::filesystem;
}

/// `idmap`, `ridmap`, or mappings without either word, which mean `idmap`.
/// Where the mount has no mappings, the container's are used; those of a joined
/// user namespace are not known here, and the maps stay empty.
void set_idmap(const oci::mount& from, const oci::mount_options& options,
               const oci::linux_config& in, mount& to) {
  const auto own = !from.uid_mappings.empty();
  if (options.idmap == oci::idmap_kind::none && !own)
    return;
  to.idmap = options.idmap == oci::idmap_kind::recursive
               ? mount_idmap::recursive
               : mount_idmap::single;
  const auto* user = find_namespace(in, oci::namespace_kind::user);
  if (!own && (user == nullptr || !user->path.empty()))
    return;
  to.uid_map = id_maps(own ? from.uid_mappings : in.uid_mappings);
  to.gid_map = id_maps(own ? from.gid_mappings : in.gid_mappings);
}

/// A file system that takes an SELinux context, as mount data. The kernel's own
/// file systems have theirs from the policy.
bool takes_label(const mount& x) {
  return x.kind == mount_kind::filesystem && x.type != "proc"
         && x.type != "sysfs" && x.type != "mqueue";
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
  // sysfs is one of its network namespace's own: there it costs nothing.
  if (x.kind == mount_kind::filesystem
      && (x.source.starts_with('/') || x.type == "sysfs")
      && (x.attr_set & MOUNT_ATTR_RDONLY) != 0)
    x.data.emplace_back("ro");
}

/// A bind makes no file system that could take such options.
void warn_of_unused_options(const oci::mount& x, const std::string& origin,
                            warnings& to) {
  for (std::size_t i = 0; i != x.options.size(); ++i)
    if (oci::is_for_filesystem(x.options[i]))
      to.push_back(at(origin + "/options", i) + ": " + quote(x.options[i])
                   + " has no effect on a bind mount");
}

result<mount> compile_mount(const oci::mount& x, const oci::linux_config& in,
                            const std::string& bundle, std::string origin,
                            warnings& to) {
  auto options = oci::split(x.options);
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
  if (out.kind == mount_kind::bind)
    out.source = on_host(x.source, bundle);
  else if (out.kind != mount_kind::remount)
    out.source = x.source;
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
  set_idmap(x, options, in, out);
  if (out.kind == mount_kind::cgroup && out.idmap != mount_idmap::none)
    return fail(fault::unsupported,
                out.origin + "/options: cgroups cannot be idmapped");
  // A bind cannot change the superblock, and mount(2) passes over `sync` and
  // its like.
  if (out.kind == mount_kind::bind)
    warn_of_unused_options(x, out.origin, to);
  if (out.kind == mount_kind::bind || (options.remount && options.bind))
    out.data.clear();
  if (!in.mount_label.empty() && takes_label(out))
    out.data.push_back("context=" + in.mount_label);
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

result<std::vector<mount>>
compile_mounts(const oci::spec& spec, const std::string& bundle, warnings& to) {
  std::vector<mount> out;
  for (std::size_t i = 0; i != spec.mounts.size(); ++i) {
    TROUPE_TRY(auto compiled, compile_mount(spec.mounts[i], spec.linux_, bundle,
                                            at("/mounts", i), to));
    out.push_back(std::move(compiled));
  }
  const auto fills_dev = [](const mount& x) {
    return x.target == "/dev" && x.kind != mount_kind::remount;
  };
  if (std::ranges::find_if(out, fills_dev) == out.end()) {
    out.insert(out.begin(), default_dev());
    if (!spec.linux_.mount_label.empty())
      out.front().data.push_back("context=" + spec.linux_.mount_label);
  }
  return out;
}

bool has_own_dev(const std::vector<mount>& mounts) {
  const auto last = std::find_if(
    mounts.rbegin(), mounts.rend(), [](const mount& x) {
      return x.kind != mount_kind::remount
             && (x.target == "/dev" || x.target == "/");
    });
  return last != mounts.rend() && last->target == "/dev"
         && last->kind == mount_kind::filesystem && last->type == "tmpfs";
}

} // namespace troupe::plan
