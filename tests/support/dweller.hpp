#pragma once

#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/pidfd.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sched.h>
#include <string>
#include <unistd.h>

namespace troupe::test {

/// A process in namespaces of its own, until the test ends.
class dweller {
public:
  explicit dweller(std::uint64_t flags) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    held_.reset(ends[1]);
    const sys::unique_fd read{ends[0]};
    child_ = sys::clone_process(sys::parentage::own, flags, -1).value();
    if (child_.pid == 0) {
      held_.reset();
      char byte = 0;
      (void)!::read(read.get(), &byte, 1);
      ::_exit(0);
    }
  }

  dweller(const dweller&) = delete;
  dweller& operator=(const dweller&) = delete;

  ~dweller() {
    held_.reset();
    (void)sys::wait_for_exit(child_.pidfd.get());
  }

  [[nodiscard]] pid_t pid() const {
    return child_.pid;
  }

  /// Its namespace of that name, "mnt", "net"...
  [[nodiscard]] std::string path(const std::string& name) const {
    return "/proc/" + std::to_string(child_.pid) + "/ns/" + name;
  }

private:
  sys::unique_fd held_;
  sys::cloned child_;
};

} // namespace troupe::test
