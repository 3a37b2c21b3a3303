#include "config/base/quote.hpp"
#include "config/oci/mount_options.hpp"
#include "config/oci/rules.hpp"
#include "config/oci/words.hpp"

#include <array>

namespace troupe::oci::rules {

namespace {

/// "If specified, it MUST be specified along with" the other one; without
/// either, `idmap` uses the container's own mapping (config.md, Linux mount
/// options).
outcome check_idmap(const spec& in, const mount& x, const mount_options& by,
                    const pointer& at) {
  TROUPE_CHECK(check_mappings(at / "uidMappings", x.uid_mappings));
  TROUPE_CHECK(check_mappings(at / "gidMappings", x.gid_mappings));
  if (x.uid_mappings.empty() != x.gid_mappings.empty())
    return refuse(at, "both of uidMappings and gidMappings, or neither", "one");
  if (by.idmap != idmap_kind::none && x.uid_mappings.empty())
    return check_has_namespace(in.linux_, namespace_kind::user, at / "options");
  return {};
}

/// A bind, and a remount of one, has no filesystem of its own to configure: a
/// word that mount(2) would pass over in silence is misspelt. Values for a
/// filesystem (`mode=755`) are common in bundles; compile() warns of them.
outcome check_bind_options(const mount& x, const pointer& at) {
  for (std::size_t i = 0; i < x.options.size(); ++i)
    if (is_for_filesystem(x.options[i])
        && x.options[i].find('=') == std::string::npos)
      return refuse(at / "options" / i, "an option that a bind can have",
                    quote(x.options[i]));
  return {};
}

outcome check_combinations(const mount& x, const mount_options& by,
                           const pointer& at) {
  if (by.copy_up && x.type != "tmpfs")
    return refuse(at / "options", "tmpcopyup for a tmpfs only", quote(x.type));
  const auto maps = by.idmap != idmap_kind::none || !x.uid_mappings.empty();
  if (by.remount && maps)
    return refuse(at / "options", "no id mapping of a mount that is there",
                  "remount with a mapping");
  return {};
}

outcome check_mount(const spec& in, const mount& x, const pointer& at) {
  TROUPE_CHECK(check_absolute(at / "destination", x.destination));
  const auto options = split(x.options);
  TROUPE_CHECK(check_combinations(x, options, at));
  const bool binds = options.bind || x.type == "bind";
  if (binds)
    TROUPE_CHECK(check_bind_options(x, at));
  if (binds && options.remount) // nothing is looked up on the host
    return {};
  if (binds && x.source.empty())
    return refuse(at / "source", "the path to bind", "nothing");
  if (!binds && x.type.empty() && !options.remount)
    return refuse(at / "type", "a filesystem type, or bind among the options",
                  "nothing");
  return check_idmap(in, x, options, at);
}

outcome check_paths(const std::vector<std::string>& paths, const pointer& at) {
  for (std::size_t i = 0; i < paths.size(); ++i)
    TROUPE_CHECK(check_absolute(at / i, paths[i]));
  return {};
}

/// What would be done to the host's own mounts without a mount namespace.
outcome check_mount_namespace(const spec& x) {
  if (find(x.linux_, namespace_kind::mount))
    return {};
  struct row {
    std::string_view at;
    bool given;
  };
  const std::array rows{
    row{"/mounts", !x.mounts.empty()},
    row{"/root/readonly", x.root && x.root->readonly},
    row{"/linux/maskedPaths", !x.linux_.masked_paths.empty()},
    row{"/linux/readonlyPaths", !x.linux_.readonly_paths.empty()},
    row{"/linux/rootfsPropagation", !x.linux_.rootfs_propagation.empty()},
    row{"/linux/devices", !x.linux_.devices.empty()},
  };
  for (const auto& row : rows)
    if (row.given)
      return check_has_namespace(x.linux_, namespace_kind::mount,
                                 pointer{row.at});
  return {};
}

} // namespace

outcome check_mounts(const spec& x) {
  const pointer at{"/mounts"};
  for (std::size_t i = 0; i < x.mounts.size(); ++i)
    TROUPE_CHECK(check_mount(x, x.mounts[i], at / i));
  const auto& in = x.linux_;
  TROUPE_CHECK(check_paths(in.masked_paths, pointer{"/linux/maskedPaths"}));
  TROUPE_CHECK(check_paths(in.readonly_paths, pointer{"/linux/readonlyPaths"}));
  if (!in.rootfs_propagation.empty())
    TROUPE_CHECK(check_word(pointer{"/linux/rootfsPropagation"},
                            in.rootfs_propagation, words::propagations));
  return check_mount_namespace(x);
}

} // namespace troupe::oci::rules
