#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Who a user is inside a root: its /etc/passwd and /etc/group, passwd(5) and
/// group(5), read through openat2 below `root` and never with getpwnam(3),
/// which would load the host's NSS modules for a hostile file.
namespace troupe::sys {

struct user_ids {
  std::uint32_t uid = 0;
  std::optional<std::uint32_t> gid;  ///< Unset: a bare uid without an entry.
  std::vector<std::uint32_t> groups; ///< Supplementary.
  friend bool operator==(const user_ids&, const user_ids&) = default;
};

/// `USER[:GROUP]`, each a name or a number from 0 to 4294967294. Numbers need
/// no entry and no file; a USER alone brings its entry's group, and a name
/// alone the groups that list it too. A name that is not there is a failure
/// that quotes it.
[[nodiscard]] result<user_ids> find_user(int root, std::string_view user);

/// The home directory of user id `uid` in the root's /etc/passwd; "/" if it has
/// none there.
[[nodiscard]] std::string home_of(int root, std::uint32_t uid);

} // namespace troupe::sys
