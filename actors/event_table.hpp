#pragma once

#include "actors/messages.hpp"
#include "actors/sqlite.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace troupe {

/// The events in SQLite. WAL with synchronous=NORMAL: what is committed is in
/// the page cache, so a `kill -9` of the supervisor loses nothing; a power loss
/// may take the last commits (and with them the containers they are about), but
/// leaves a sound database (sqlite.org/pragma.html#pragma_synchronous).
class event_table {
public:
  /// Rows that one read gives at most.
  static constexpr std::int64_t max_rows = 10'000;

  /// Opens or makes the table. Keeps the newest `max_events` (at least 1).
  [[nodiscard]] static result<event_table> open(const std::string& path,
                                                std::int64_t max_events);

  /// Writes all events of `batches` in one transaction, or none. Numbers follow
  /// each other without a gap and are never used twice; an event whose `once`
  /// is known already is passed over.
  outcome append(std::span<const msg::append_events* const> batches);

  [[nodiscard]] result<msg::events> read(const msg::read_events& what);

  /// The newest number; 0 of an empty table.
  [[nodiscard]] std::int64_t last_seq() const noexcept {
    return last_seq_;
  }

private:
  event_table(sqlite::database in, std::int64_t max_events)
    : in_(std::move(in)), max_events_(max_events) {
  }

  outcome prepare();
  result<std::int64_t> newest();
  result<bool> insert(const msg::event& x, std::int64_t seq);
  outcome drop_oldest(std::int64_t last);

  sqlite::database in_;
  std::int64_t max_events_;
  std::int64_t last_seq_ = 0;
  sqlite::statement insert_;
  sqlite::statement drop_;
  sqlite::statement read_all_;
  sqlite::statement read_container_;
};

} // namespace troupe
