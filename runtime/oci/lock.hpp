#pragma once

#include "runtime/linux/unique_fd.hpp"
#include "runtime/store/store.hpp"

#include <string>

/// One `lock` file in each container's directory, flock(2), for whatever
/// changes the container. It ends with its holder, however that ends. Making
/// and removing the directory itself is done under a short lock of
/// ROOT/containers, so that a directory is never seen without its lock.
///
/// Looking takes no lock: files are replaced by rename, and a hook that asks
/// for the state of its own container must not wait for its creation to end.
namespace troupe::oci_runtime {

enum class sharing {
  shared,    ///< Exec sessions: many at once, but no deletion.
  exclusive, ///< Everything that changes what the container is.
};

/// Makes the container's directory and locks it; `already_exists` if it is
/// there.
[[nodiscard]] result<sys::unique_fd> make_locked(const store::directory& in,
                                                 const std::string& id);

/// Waits for the lock of a container that exists; `not_found` if it does not,
/// or not any more once the lock is ours.
[[nodiscard]] result<sys::unique_fd> lock(const store::directory& in,
                                          const std::string& id,
                                          sharing how = sharing::exclusive);

/// Whether somebody has it.
[[nodiscard]] bool is_locked(const store::directory& in, const std::string& id);

/// Removes the container's directory, whose exclusive lock the caller has.
[[nodiscard]] outcome remove_locked(const store::directory& in,
                                    const std::string& id);

} // namespace troupe::oci_runtime
