#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <string>
#include <string_view>

namespace troupe::sys {

/// A procfs of our own: mounted detached, so that nobody can put something else
/// on a path in it, and checked to be one (CVE-2019-16884, CVE-2025-52881). It
/// shows the pid namespace that its maker is in.
class private_proc {
public:
  [[nodiscard]] static result<private_proc> open();

  /// Opens `path`, `17/attr/exec`; O_CLOEXEC is implied. No symlink is followed
  /// (so no `self`), no mount crossed.
  [[nodiscard]] result<unique_fd> open_file(const std::string& path,
                                            int flags) const;
  /// The host's /proc, for who may not mount one: an ordinary user. Checked to
  /// be the root of a procfs. Only for the host's side, where nobody hostile
  /// has mounted anything.
  [[nodiscard]] static result<private_proc> of_host();

  /// Writes `value` to `path` in one write, `sys/net/ipv4/ip_forward` or
  /// `17/uid_map`.
  [[nodiscard]] outcome write(const std::string& path,
                              std::string_view value) const;

  /// Reads a small file whole.
  [[nodiscard]] result<std::string> read(const std::string& path) const;

  /// The root directory of process `pid`, as O_PATH.
  [[nodiscard]] result<unique_fd> root_of(int pid) const;

  /// The namespace of `kind` (`net`, `user`...) that process `pid` is in.
  [[nodiscard]] result<unique_fd> namespace_of(int pid,
                                               const std::string& kind) const;

private:
  explicit private_proc(unique_fd mount) noexcept : mount_(std::move(mount)) {
  }

  unique_fd mount_;
};

/// The path of a sysctl below procfs: `net.ipv4.ip_forward` becomes
/// `sys/net/ipv4/ip_forward`; sysctl(8): a first separator of `/` means that
/// dots are part of the names (`net/ipv4/conf/eth0.1/forwarding`), and a slash
/// between dots stands for a dot.
[[nodiscard]] std::string sysctl_path(const std::string& key);

} // namespace troupe::sys
