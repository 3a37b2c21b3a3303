#pragma once

#include "config/base/result.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace troupe {

/// Lets so many launches run at once; the others wait in line. A launch is work
/// for the kernel: more of them at once take longer each, and no less in all.
/// Used from any thread.
class launch_gate {
  struct line;
  struct place;

public:
  /// Tells who has waited that its turn has come; on any thread, and at once.
  using call = std::function<void()>;

  /// A place in line, and later a launch that is under way, until it goes.
  class turn {
  public:
    turn() = default;
    turn(turn&&) = default;
    turn& operator=(turn&& other) noexcept;
    ~turn();

    [[nodiscard]] bool has_come() const;

    /// How many wait before it.
    [[nodiscard]] std::size_t before() const;

    /// Ends it: the next one's turn comes.
    void leave() noexcept;

    /// Whether it was entered, and not left.
    explicit operator bool() const noexcept {
      return static_cast<bool>(place_);
    }

  private:
    friend class launch_gate;

    std::shared_ptr<line> line_;
    std::shared_ptr<place> place_;
  };

  /// At least one at once.
  launch_gate(std::size_t at_once, std::size_t longest_line);

  /// `come` is called unless the turn has come already. `exhausted`: the line
  /// is full.
  [[nodiscard]] result<turn> enter(call come);

private:
  std::shared_ptr<line> line_;
};

} // namespace troupe
