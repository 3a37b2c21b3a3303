#pragma once

#include "config/base/result.hpp"

#include <string>
#include <sys/resource.h>

namespace troupe::shim {

/// What the shim changes of its own process so that it lives as long as its
/// containers do, and what of it a child must get back before anything else.
class own_process {
public:
  /// Subreaper, not dumpable, deaf to every signal that could end it, as many
  /// descriptors as allowed, last in line for the OOM killer (where permitted),
  /// in `/`.
  [[nodiscard]] static result<own_process> settle();

  /// Points stdin, stdout and stderr to /dev/null.
  [[nodiscard]] static outcome silence();

  /// What the process was like before any shim program settled in it.
  template <class Way>
  void hand_over(Way& with) {
    with(descriptors_, oom_score_);
  }

  /// In a forked child: undoes what fork(2) has handed down, but for signals
  /// and descriptors, which are launch::isolate's.
  void restore_in_child() const noexcept;

private:
  own_process() = default;

  struct rlimit descriptors_ {}; ///< What they were.
  std::string oom_score_; ///< What it was; "" if it could not be changed.
};

} // namespace troupe::shim
