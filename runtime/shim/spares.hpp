#pragma once

#include "runtime/launch/launch.hpp"
#include "runtime/shim/children.hpp"
#include "runtime/shim/forker.hpp"
#include "runtime/shim/loop.hpp"

#include <cstddef>
#include <deque>
#include <optional>

namespace troupe::shim {

/// Launchers that were forked before they are needed. Each has closed what is
/// not its own, made some namespaces (launch/spare.hpp), and waits on its line
/// for the one launch of its life. A spare that has died is no loss: the next
/// one is taken, or a launcher is forked.
class spares {
public:
  spares(shim::loop& in, const own_process& self, std::size_t count);
  spares(const spares&) = delete;
  spares& operator=(const spares&) = delete;
  ~spares(); ///< Ends them, and waits for that.

  /// Hands the plan in `memfd` and the descriptors of `with` to one of them;
  /// its line is its report line. Nothing: none is ready.
  [[nodiscard]] std::optional<child> launch(int memfd,
                                            const launcher::lines& with);

  /// Has what is missing forked, soon.
  void refill_later();

  [[nodiscard]] std::size_t wanted() const noexcept {
    return wanted_;
  }

private:
  void refill();
  outcome start_forker();
  void receive();
  void drop_forker();

  shim::loop& loop_;
  const own_process& self_;
  std::size_t wanted_;
  std::deque<child> all_; ///< Oldest first.
  std::optional<forker> forker_;
  watch delivered_;
  std::size_t ordered_ = 0; ///< Not received yet.
  bool refilling_ = false;
};

} // namespace troupe::shim
