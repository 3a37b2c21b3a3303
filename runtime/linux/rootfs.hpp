#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <string>

/// Paths inside a root that its owner may have made hostile. Every path is
/// resolved by openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS: a
/// symlink, absolute or with `..`, cannot lead out of `root` (CVE-2019-18837,
/// CVE-2021-30465, CVE-2024-45310). Paths are absolute, as the container sees
/// them.
namespace troupe::sys {

enum class symlinks {
  follow, ///< Within the root.
  refuse, ///< ELOOP: the path must be literally what it says.
};

/// Opens an existing file; `flags` as for open(2), O_CLOEXEC is implied.
[[nodiscard]] result<unique_fd> open_in_root(int root, const std::string& path,
                                             int flags,
                                             symlinks links = symlinks::follow);

/// The directory `path`, as O_PATH, made (0755, with its parents) where it is
/// missing. A symlink to nowhere is followed, inside the root, and its target
/// made.
[[nodiscard]] result<unique_fd>
make_directory(int root, const std::string& path,
               symlinks links = symlinks::follow);

/// The file `path`, as O_PATH, made (empty, 0644) where it is missing; behind a
/// symlink to nowhere, too, inside the root.
[[nodiscard]] result<unique_fd> make_file(int root, const std::string& path);

/// Makes the directory that `path` lies in and returns it, with the last
/// component.
struct place {
  unique_fd directory;
  std::string name;
};
[[nodiscard]] result<place> make_parent(int root, const std::string& path);

/// `path` without `.`, `..`, doubled or final slashes, absolute.
[[nodiscard]] std::string lexically_clean(const std::string& path);

} // namespace troupe::sys
