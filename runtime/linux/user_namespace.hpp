#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <string>

namespace troupe::sys {

/// A user namespace that nobody lives in, for MOUNT_ATTR_IDMAP. The maps are as
/// in user_namespaces(7), a line each: `inside outside count`. Needs CAP_SETUID
/// and CAP_SETGID.
[[nodiscard]] result<unique_fd> make_user_namespace(const std::string& uid_map,
                                                    const std::string& gid_map);

/// Whether the caller lives in the first user namespace: in any other, its
/// root has no right over devices.
[[nodiscard]] bool in_first_user_namespace();

} // namespace troupe::sys
