#pragma once

#include "tests/support/launched.hpp"

#include <functional>
#include <string>
#include <vector>

namespace troupe::test {

/// A container that sleeps, and sessions in it.
class sleeping_container {
public:
  explicit sleeping_container(plan::launch_plan plan)
    : plan_(std::move(plan)), box_(create(plan_)) {
    if (box_.failed())
      FAIL(launch::to_failure(*box_.failed(), &plan_).what);
    REQUIRE_FALSE(box_.start());
  }

  [[nodiscard]] plan::exec_plan session(std::vector<std::string> args) const {
    auto out = plan::exec_plan{};
    out.id = plan_.id;
    out.session = "s";
    out.bundle = plan_.bundle;
    out.oci_version = plan_.oci_version;
    out.namespaces = plan_.namespaces.clone_flags;
    out.cgroup = plan_.cgroup;
    out.process = plan_.process;
    out.process.args = std::move(args);
    return out;
  }

  /// `adapt` may add to the session's lines.
  launched exec(const plan::exec_plan& plan,
                const std::function<void(launch::lines&)>& adapt = {}) {
    return launched{[&](auto with) {
      // High up: `adapt` may want the low numbers.
      const auto target = ::fcntl(box_.pidfd(), F_DUPFD_CLOEXEC, 200);
      if (adapt)
        adapt(with);
      return launch::run_exec(plan, with, target);
    }};
  }

  [[nodiscard]] pid_t pid() const {
    return box_.pid();
  }

private:
  plan::launch_plan plan_;
  launched box_;
};

} // namespace troupe::test
