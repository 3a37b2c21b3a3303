#pragma once

#include "runtime/linux/unique_fd.hpp"
#include "runtime/store/store.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// A container as it is now: what is on disk, seen against what runs.
namespace troupe::oci_runtime {

enum class status : std::uint8_t {
  creating, ///< `create` is at work on it.
  created,  ///< Its init waits for `start`.
  running,
  paused,
  stopped, ///< No process, or one that only waits to be reaped.
};

[[nodiscard]] std::string_view to_string(status x) noexcept;

struct container {
  store::state state;
  plan::launch_plan plan;
  sys::unique_fd init; ///< Pidfd; invalid once it has ended.
  oci_runtime::status status = status::stopped;

  [[nodiscard]] bool is_alive() const noexcept {
    return static_cast<bool>(init);
  }
};

/// What a state file says while its container lives, before `start` and after.
inline constexpr auto state_creating = "creating";
inline constexpr auto state_created = "created";
inline constexpr auto state_running = "running";

/// Looks at container `id`, whose lock the caller has. `not_found`: there is
/// none; any other failure means that its files are damaged, and names the
/// file.
[[nodiscard]] result<container> look(const store::directory& in,
                                     const std::string& id);

/// The same without the lock, for who only looks: what seems damaged may be
/// just being made or removed, and is looked at again once that is over.
[[nodiscard]] result<container> look_in_passing(const store::directory& in,
                                                const std::string& id);

/// A directory whose files are damaged, or a container that has not.
struct listed {
  std::string id;
  result<oci_runtime::container> container;
};

/// All of them, by id. Those that vanish meanwhile are left out.
[[nodiscard]] result<std::vector<listed>>
look_at_all(const store::directory& in);

/// The pidfd of the process `pid` that started at `start`, unless it has ended.
[[nodiscard]] sys::unique_fd open_same_process(pid_t pid, std::uint64_t start);

/// When process `pid` started, for the two above.
[[nodiscard]] result<std::uint64_t> start_time(pid_t pid);

/// Where `start` of a container in `directory` (an open descriptor) connects.
/// By descriptor: a socket's path has room for 107 bytes only.
[[nodiscard]] std::string start_socket(int directory);

/// Opens the directory of a container for `start_socket`.
[[nodiscard]] result<sys::unique_fd> open_directory(const store::directory& in,
                                                    const std::string& id);

} // namespace troupe::oci_runtime
