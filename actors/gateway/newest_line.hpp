#pragma once

#include "actors/gateway/session.hpp"

#include <string>
#include <utility>

namespace troupe::gateway {

/// A stream of lines of which only the newest counts: for a client that reads
/// slower than they come, each replaces the one that waits.
class newest_line {
public:
  explicit newest_line(session& in) : in_(in) {
  }

  void put(std::string line) {
    line_ = std::move(line) + '\n';
    push();
  }

  /// As job::pulled.
  void pulled() {
    client_ready_ = true;
    push();
  }

private:
  void push() {
    if (!client_ready_ || line_.empty())
      return;
    client_ready_ = false;
    in_.send(std::exchange(line_, {}));
  }

  session& in_;
  std::string line_;
  bool client_ready_ = false;
};

} // namespace troupe::gateway
