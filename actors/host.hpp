#pragma once

#include "actors/reactor.hpp"
#include "actors/services.hpp"
#include "actors/system_config.hpp"

#include <caf/actor_system.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// A host's SUPERVISOR and all that it stands on: the shim, the reactor, an
/// actor system, and every actor that containers need. What trouped is made of,
/// and a program that links troupe (docs/library.md).
class host {
public:
  /// What is there before the first thread.
  struct base {
    sys::unique_fd lock; ///< ROOT is ours for as long as it is open.
    sys::unique_fd shim;
    std::string shim_program;
  };

  /// Takes ROOT and STATE, and finds their shim, or starts one. The process
  /// should have no threads yet and block every signal: a shim inherits what
  /// there is.
  [[nodiscard]] static result<base> prepare(const settings& from);

  /// Spawns every actor, and takes up the containers that are there. `more`
  /// completes what CAF is told.
  [[nodiscard]] static result<std::unique_ptr<host>>
  start(const settings& from, base on,
        const std::function<void(caf::actor_system_config&)>& more = {});

  host(const host&) = delete;
  host& operator=(const host&) = delete;
  ~host(); ///< Ends every actor, and cleans up. Containers run on.

  [[nodiscard]] caf::actor_system& system() noexcept {
    return *system_;
  }
  [[nodiscard]] const supervisor_actor& supervisor() const noexcept {
    return supervisor_;
  }
  [[nodiscard]] const std::shared_ptr<services>& parts() const noexcept {
    return parts_;
  }

private:
  host(const settings& from, base on)
    : root_(from.root), base_(std::move(on)), config_(from) {
  }

  outcome spawn(const settings& from, found_containers found);

  std::string root_;
  base base_;
  std::unique_ptr<troupe::reactor> reactor_; ///< Outlives who is watched.
  system_config config_;
  std::optional<caf::actor_system> system_;
  std::shared_ptr<services> parts_ = std::make_shared<services>();
  supervisor_actor supervisor_;
};

} // namespace troupe
