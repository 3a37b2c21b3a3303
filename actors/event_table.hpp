#pragma once

#include "actors/messages.hpp"
#include "actors/sqlite.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

namespace troupe {

/// How much of the past is kept. The newest event stays in any case: numbers go
/// on from it.
struct event_retention {
  std::int64_t max_events = 1'000'000; ///< At least 1.
  time_ns max_age = 0;                 ///< 0: however old.
};

/// The events in SQLite. WAL with synchronous=NORMAL: what is committed is in
/// the page cache, so a `kill -9` of the supervisor loses nothing; a power loss
/// may take the last commits (and with them the containers they are about), but
/// leaves a sound database (sqlite.org/pragma.html#pragma_synchronous).
class event_table {
public:
  /// Rows that one read gives at most.
  static constexpr std::int64_t max_rows = 10'000;

  /// Opens or makes the table.
  [[nodiscard]] static result<event_table> open(const std::string& path,
                                                event_retention keep);

  /// Writes all events of `batches` in one transaction, or none. Numbers follow
  /// each other without a gap and are never used twice; an event whose `once`
  /// is known already is passed over.
  outcome append(std::span<const msg::append_events* const> batches);

  [[nodiscard]] result<msg::events> read(const msg::read_events& what);

  /// Whether an event of this `once` is written.
  [[nodiscard]] result<bool> has(const std::string& once);

  /// The numbers of an empty table that takes another's place go on from
  /// `last`.
  void go_on_after(std::int64_t last) noexcept {
    last_seq_ = std::max(last_seq_, last);
  }

  /// The newest number; 0 of an empty table.
  [[nodiscard]] std::int64_t last_seq() const noexcept {
    return last_seq_;
  }

private:
  event_table(sqlite::database in, event_retention keep)
    : in_(std::move(in)), keep_(keep) {
  }

  outcome prepare();
  result<std::int64_t> newest();
  result<bool> insert(const msg::event& x, std::int64_t seq);
  outcome drop_oldest(std::int64_t last);

  sqlite::database in_;
  event_retention keep_;
  std::int64_t last_seq_ = 0;
  sqlite::statement insert_;
  sqlite::statement drop_;
  sqlite::statement drop_aged_;
  sqlite::statement has_;
  sqlite::statement read_all_;
  sqlite::statement read_container_;
};

} // namespace troupe
