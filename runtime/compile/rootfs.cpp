#include "config/base/quote.hpp"
#include "runtime/compile/facilities.hpp"
#include "runtime/compile/pointer.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <sched.h>
#include <sys/mount.h>

namespace troupe::plan {

namespace {

struct propagation_word {
  std::string_view word;
  std::uint64_t flags;
};

// config-linux.md, "Rootfs Mount Propagation". Absent means private.
constexpr std::array propagation_words{
  propagation_word{"", MS_PRIVATE},
  propagation_word{"private", MS_PRIVATE},
  propagation_word{"rprivate", MS_PRIVATE | MS_REC},
  propagation_word{"shared", MS_SHARED},
  propagation_word{"rshared", MS_SHARED | MS_REC},
  propagation_word{"slave", MS_SLAVE},
  propagation_word{"rslave", MS_SLAVE | MS_REC},
  propagation_word{"unbindable", MS_UNBINDABLE},
  propagation_word{"runbindable", MS_UNBINDABLE | MS_REC},
};

result<std::uint64_t> propagation_of(const std::string& word) {
  const auto row = std::ranges::find(propagation_words, word,
                                     &propagation_word::word);
  if (row == propagation_words.end())
    return fail(fault::invalid_config,
                "/linux/rootfsPropagation: found " + quote(word)
                  + ", expected shared, slave, private or unbindable, with or "
                    "without r in front");
  return row->flags;
}

std::vector<guarded_path> guarded(const std::vector<std::string>& paths,
                                  std::string_view pointer) {
  std::vector<guarded_path> out;
  for (std::size_t i = 0; i != paths.size(); ++i)
    out.push_back({paths[i], at(pointer, i)});
  return out;
}

std::string tidy(const std::filesystem::path& path) {
  auto out = path.lexically_normal();
  if (!out.has_filename() && out.has_relative_path())
    out = out.parent_path(); // "/srv/data/" is "/srv/data"
  return out.string();
}

/// Without a mount namespace every mount would be the host's.
outcome refuse_mounts(const oci::spec& spec) {
  struct place {
    std::string_view pointer;
    bool asked;
  };
  const std::array places{
    place{"/mounts", !spec.mounts.empty()},
    place{"/root/readonly", spec.root->readonly},
    place{"/linux/devices", !spec.linux_.devices.empty()},
    place{"/linux/maskedPaths", !spec.linux_.masked_paths.empty()},
    place{"/linux/readonlyPaths", !spec.linux_.readonly_paths.empty()},
    place{"/linux/rootfsPropagation", !spec.linux_.rootfs_propagation.empty()},
  };
  for (const auto& each : places)
    if (each.asked)
      return fail(fault::unsupported,
                  std::string{each.pointer}
                    + ": needs a mount namespace, /linux/namespaces has none");
  return {};
}

} // namespace

std::string on_host(const std::string& path, const std::string& bundle) {
  const auto joined = std::filesystem::path{bundle} / path;
  return std::ranges::find(joined, "..") == joined.end() ? tidy(joined)
                                                         : joined.string();
}

std::string in_container(const std::string& path) {
  return tidy(std::filesystem::path{"/"} / path);
}

result<rootfs> compile_rootfs(const oci::spec& spec, const std::string& bundle,
                              const host_facts& host,
                              std::uint64_t own_namespaces, warnings& to) {
  if (!spec.root)
    return fail(fault::invalid_config, "/root: missing, required on Linux");
  rootfs out;
  out.path = on_host(spec.root->path, bundle);
  if ((own_namespaces & CLONE_NEWNS) == 0) {
    TROUPE_CHECK(refuse_mounts(spec));
    out.fill_dev = false;
    return out;
  }
  out.readonly = spec.root->readonly;
  TROUPE_TRY(out.propagation, propagation_of(spec.linux_.rootfs_propagation));
  // Our own copies of the host's mounts follow the host's unmounts, so that we
  // keep nothing of it busy, and nothing of ours travels back.
  out.host_propagation = MS_SLAVE | MS_REC;
  TROUPE_TRY(out.mounts, compile_mounts(spec, bundle, to));
  out.fill_dev = has_own_dev(out.mounts);
  TROUPE_TRY(out.devices, compile_devices(spec.linux_.devices, out.fill_dev));
  if (out.fill_dev)
    out.symlinks = dev_symlinks(out.devices, host);
  out.masked = guarded(spec.linux_.masked_paths, "/linux/maskedPaths");
  out.readonly_paths = guarded(spec.linux_.readonly_paths,
                               "/linux/readonlyPaths");
  return out;
}

} // namespace troupe::plan
