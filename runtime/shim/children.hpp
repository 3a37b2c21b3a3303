#pragma once

#include "config/base/result.hpp"
#include "runtime/launch/report.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/shim/own_process.hpp"
#include "runtime/shim/protocol/messages.hpp"

#include <functional>
#include <sys/types.h>
#include <unordered_map>

/// The shim's children: launchers and hook runners, which it forks, and the
/// inits that launchers make for it by CLONE_PARENT.
namespace troupe::shim {

/// Here `launch` is a request.
namespace launcher = troupe::launch;

/// A forked child and our end of its report line.
struct child {
  pid_t pid = 0;
  sys::unique_fd pidfd;
  sys::unique_fd line;
  template <class Way>
  void hand_over(Way& with) {
    with(pid, pidfd, line);
  }
};

/// Forks. The child calls `body` with its end of the report line and exits with
/// what that returns.
[[nodiscard]] result<child> fork_child(const own_process& self,
                                       const std::function<int(int)>& body);

/// The same by one of the shim's children (forker.hpp), whose sibling it is.
[[nodiscard]] result<child> fork_sibling(const std::function<int(int)>& body);

/// One look at a report line.
struct line_event {
  enum class kind : std::uint8_t { report, empty, closed };
  kind what = kind::empty;
  launcher::report report;
  sys::unique_fd fd; ///< That came with the report.
};

[[nodiscard]] line_event next_report(int line);

/// The report as it goes to the supervisor.
[[nodiscard]] step_report step_of(const launcher::report& from);

/// A report of our own about a child: `what` in phase prepare.
[[nodiscard]] launcher::report prepare_failure(const failure& why);

/// Something with children, asked to look after them.
class parent {
public:
  virtual ~parent() = default;
  virtual void look() = 0;
};

/// Every pid that somebody waits for, so that the others, orphans of containers
/// that share the host's pid namespace, can be told from them and reaped.
class child_table {
public:
  void add(pid_t pid, parent& whose) {
    parents_[pid] = &whose;
  }

  void remove(pid_t pid) {
    parents_.erase(pid);
  }

  [[nodiscard]] parent* parent_of(pid_t pid) const {
    const auto found = parents_.find(pid);
    return found == parents_.end() ? nullptr : found->second;
  }

  /// Reaps child `pid` if it is dead: through its parent, or, if it is
  /// nobody's, here. `look_again` makes parents read what their launchers have
  /// said, which may tell of a child that is new to us.
  void bury(pid_t pid, const std::function<void()>& look_again);

  /// The same for every dead child, which the kernel looks for among all. True:
  /// there may be more.
  bool sweep(const std::function<void()>& look_again);

private:
  std::unordered_map<pid_t, parent*> parents_;
};

} // namespace troupe::shim
