#pragma once

#include "config/base/result.hpp"

#include <string>
#include <string_view>

/// Places between two steps where a test can have the program die, or the step
/// fail (tests/fault). In the programs that are installed this is a call of an
/// empty function.
namespace troupe {

/// `moment`: "before" or "after" the step, or a word for what has come. The
/// errno that the step is to fail with, or 0. tests/fault/armed.cpp is the
/// other implementation.
int fault_point(std::string_view area, std::string_view step,
                std::string_view moment) noexcept;

/// One step, with a point at either end.
class fault_scope {
public:
  fault_scope(std::string_view area, std::string_view step) noexcept
    : area_(area), step_(step), errno_(fault_point(area, step, "before")) {
  }
  fault_scope(const fault_scope&) = delete;
  fault_scope& operator=(const fault_scope&) = delete;
  ~fault_scope() {
    fault_point(area_, step_, "after");
  }

  /// Fails if that is wanted: to be asked first of all.
  [[nodiscard]] outcome failure() const {
    if (errno_ == 0)
      return {};
    return fail_os(errno_, std::string{step_}, "as the test wants it");
  }

private:
  std::string_view area_;
  std::string_view step_;
  int errno_;
};

} // namespace troupe
