#pragma once

#include "runtime/shim/followed_child.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::shim {

/// Another shim program that is to take this one's place.
///
/// It cannot be undone once execve(2) has succeeded: so first a child runs the
/// program, which reads all that would be handed over, and says whether it
/// could go on from there.
class successor final {
public:
  /// What the program's command line says beside that.
  struct orders {
    std::string path;
    std::size_t spare_launchers = 0;
    std::uint32_t protocol = 0; ///< That the supervisor speaks.
  };

  /// Begins the rehearsal with `all`; `done` is told how it went.
  [[nodiscard]] static result<std::unique_ptr<successor>>
  rehearse(const surroundings& in, sys::unique_fd program, orders words,
           saver all, std::function<void(outcome)> done);

  successor(const successor&) = delete;
  successor& operator=(const successor&) = delete;

  /// Leaves `all` to it. Returns only with the reason why it could not.
  [[nodiscard]] outcome take_over(saver all) const;

private:
  successor(const surroundings& in, sys::unique_fd program, orders words,
            std::function<void(outcome)> done);
  outcome open(loop& in, saver all);
  outcome become(saver all, int ready) const;
  bool read(int line);
  void finish(const std::string& how_it_ended);

  sys::unique_fd program_;
  orders orders_;
  std::function<void(outcome)> done_;
  followed_child rehearsal_;
  std::string said_;
  /// Work queued in the loop must not outlive this object.
  std::shared_ptr<successor*> self_ = std::make_shared<successor*>(this);
};

} // namespace troupe::shim
