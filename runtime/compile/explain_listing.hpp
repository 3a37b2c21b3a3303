#pragma once

#include "runtime/compile/explain.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What explain.cpp and explain_process.cpp share.
namespace troupe::plan {

// Whose eyes see a step: the host's namespaces before or beside the container
// (`host`), the launcher for its child (`parent`), init before its root is in
// place (`init`) and after (`container`).
namespace where {
inline constexpr std::string_view host = "host";
inline constexpr std::string_view parent = "parent";
inline constexpr std::string_view init = "init";
inline constexpr std::string_view container = "container";
} // namespace where

/// Collects steps and numbers them.
class listing {
public:
  explicit listing(const launch_plan& plan) : plan_(plan) {
  }

  void add(phase in, std::uint32_t index, std::string_view where,
           std::string what) {
    add(to_string(in), where, std::move(what), origin_of(plan_, in, index));
  }

  void add(std::string_view phase, std::string_view where, std::string what,
           std::string_view origin) {
    steps_.push_back({static_cast<std::uint32_t>(steps_.size() + 1),
                      std::string{phase}, std::move(what), std::string{origin},
                      std::string{where}});
  }

  /// One step for each element of a phase's list.
  template <class T, class F>
  void each(phase in, std::string_view where, const std::vector<T>& xs, F say) {
    for (std::uint32_t i = 0; i != xs.size(); ++i)
      add(in, i, where, say(xs[i]));
  }

  [[nodiscard]] std::vector<explained_step> take() && {
    return std::move(steps_);
  }

private:
  const launch_plan& plan_;
  std::vector<explained_step> steps_;
};

/// From the start packet to execve.
void add_process(const process& x, listing& to);

} // namespace troupe::plan
