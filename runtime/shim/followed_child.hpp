#pragma once

#include "runtime/shim/handover.hpp"
#include "runtime/shim/table.hpp"

#include <functional>
#include <string>

namespace troupe::shim {

/// A child that has one thing to do: whoever has it done hears what it says on
/// its line, and how it ended.
class followed_child final : public parent {
public:
  struct listener {
    /// Takes what is on the line; false: nothing more will come.
    std::function<bool(int line)> read;
    /// It is gone, after the last `read`: "exit code 1", "signal 9 (SIGKILL)".
    std::function<void(const std::string& how)> ended;
  };

  followed_child(const surroundings& in, listener tell);
  followed_child(const followed_child&) = delete;
  followed_child& operator=(const followed_child&) = delete;
  ~followed_child() override;

  /// Forks it: see fork_child.
  [[nodiscard]] outcome run(const std::function<int(int)>& body);

  template <class Way>
  void hand_over(Way& with) {
    with(child_);
  }

  /// Follows the one that was taken over.
  [[nodiscard]] outcome resume();

  void kill() const noexcept;

private:
  void read();
  void look() override;

  surroundings in_;
  listener tell_;
  child child_;
  watch line_ready_;
  watch exited_;
};

} // namespace troupe::shim
