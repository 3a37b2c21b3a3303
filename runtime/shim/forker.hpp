#pragma once

#include "config/base/result.hpp"
#include "runtime/launch/spare.hpp"
#include "runtime/shim/children.hpp"

#include <functional>
#include <optional>

namespace troupe::shim {

/// A process of the shim's that forks spare launchers, which are the shim's
/// children too (CLONE_PARENT). A fork copies every descriptor of who forks and
/// the child closes them: the shim has some for each container, the forker
/// none.
class forker {
public:
  /// What a spare does with its end of the report line; its exit code.
  using life = std::function<int(int line, launcher::spare_ground ground)>;

  [[nodiscard]] static result<forker> start(const own_process& self,
                                            const life& of_spares);

  /// Asks for a spare.
  [[nodiscard]] outcome order();

  /// One that was ordered, or nothing when it could not be made. `exhausted`:
  /// none is there yet; another failure: the forker is gone.
  [[nodiscard]] result<std::optional<child>> receive();

  /// Readable when there is something to receive.
  [[nodiscard]] int line() const noexcept {
    return process_.line.get();
  }

  /// Nothing more is ordered: waits for its end. What it has made before can
  /// still be received.
  void finish();

private:
  explicit forker(child process) : process_(std::move(process)) {
  }

  child process_;
};

} // namespace troupe::shim
