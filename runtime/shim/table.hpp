#pragma once

#include "runtime/shim/children.hpp"
#include "runtime/shim/loop.hpp"
#include "runtime/shim/protocol/messages.hpp"

#include <memory>
#include <optional>

namespace troupe::shim {

class stdio;

/// Who waits for the reply to a request: answers to a supervisor that is gone
/// are dropped, since its successor gets the records.
struct asker {
  std::uint64_t connection = 0;
  std::uint64_t seq = 0;
};

/// How a request ended.
struct answer {
  outcome how;
  std::optional<step_report> step; ///< Where it failed.
};

class spares;

/// What processes and jobs need of the shim that holds them.
struct surroundings {
  shim::loop& loop;
  own_process& self;
  child_table& children;
  shim::spares& spares;
};

/// What processes and jobs tell the shim that holds them.
class table {
public:
  virtual ~table() = default;
  /// The record of `key` is not what the supervisor has seen.
  virtual void changed(const process_key& key) = 0;
  /// Only its counters: the supervisor hears of it within a second.
  virtual void counted(const process_key& key) = 0;
  virtual void reply(const asker& to, answer what) = 0;
  virtual void warn(warning what) = 0;
  /// Keeps what was a process's until its clients have got all of theirs.
  virtual void drain(std::unique_ptr<stdio> from) = 0;
  /// Looks for dead children in a while.
  virtual void sweep_soon() = 0;
  /// Something has ended that can be let go after this round.
  virtual void tidy_later() = 0;
};

} // namespace troupe::shim
