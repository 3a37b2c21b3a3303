#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::oci {

/// What `idmap` or `ridmap` among the options asks for.
enum class idmap_kind : std::uint8_t {
  none,      ///< Neither word was given.
  single,    ///< `idmap`: the mount alone.
  recursive, ///< `ridmap`: the mount and all below it.
};

/// `options` of one OCI mount, split the way the new mount API wants them:
/// fsconfig(2) for the superblock, mount_setattr(2) for the mount. A later word
/// overrides an earlier one. Source: runtime-spec config.md, "Linux mount
/// options"; linux/mount.h; kernel fs/fs_context.c.
struct mount_options {
  /// `bind` or `rbind` was given. `type: bind` alone asks for one too; that is
  /// not seen here.
  bool bind = false;
  /// `rbind`: clone the source with the mounts below it (AT_RECURSIVE).
  bool recursive = false;
  /// `remount`: change what is mounted at the destination already.
  bool remount = false;
  /// `tmpcopyup`: fill the tmpfs with what it covers.
  bool copy_up = false;
  idmap_kind idmap = idmap_kind::none;

  /// MOUNT_ATTR_* of the mount itself, ready for `struct mount_attr`: no bit is
  /// in both, except that `attr_clear` holds all of MOUNT_ATTR__ATIME whenever
  /// an access time mode was chosen, as mount_setattr(2) demands. `ro` is here
  /// and not in `data`: a read-only block device or medium needs the word `ro`
  /// for the superblock as well, which only who knows the type can tell.
  std::uint64_t attr_set = 0;
  std::uint64_t attr_clear = 0;
  /// The same for the words that start with `r` (`rro`, `rnosuid`...), to be
  /// applied with AT_RECURSIVE, and before the two above: what those hold was
  /// said later.
  std::uint64_t rec_attr_set = 0;
  std::uint64_t rec_attr_clear = 0;

  /// MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE; 0: no word was given.
  /// The last one wins.
  std::uint64_t propagation = 0;
  /// `rshared`, `rslave`... instead of `shared`, `slave`.
  bool propagation_recursive = false;

  /// fsconfig options in the order given: `mode=755` is a string, a word
  /// without `=` a flag. `sync`, `async`, `dirsync`, `lazytime`, `nolazytime`,
  /// `mand` and `nomand` are flags of any superblock and stand here too.
  std::vector<std::string> data;

  friend bool operator==(const mount_options&, const mount_options&) = default;
};

/// Splits `options`. Words that the table does not know are the filesystem's
/// and go into `data`, so nothing is refused here. What mount(8) keeps for
/// itself (`x-*`, `_netdev`, `nofail`...) is dropped, and so are words without
/// an effect in the new mount API: `defaults`, `silent`, `loud`,
/// `norelatime`, `rnorelatime`, and `iversion` and `noiversion`, which
/// filesystems decide themselves since Linux 6.1.
[[nodiscard]] mount_options split(const std::vector<std::string>& options);

/// Whether `option` is meant for a particular filesystem: neither in the spec's
/// table nor mount(8)'s own. A bind has no filesystem to give it to.
[[nodiscard]] bool is_for_filesystem(std::string_view option) noexcept;

/// Every word that is not a filesystem's own, sorted: the features document's
/// `mountOptions`.
[[nodiscard]] std::vector<std::string_view> mount_words();

} // namespace troupe::oci
