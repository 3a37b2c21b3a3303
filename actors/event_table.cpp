#include "actors/event_table.hpp"

#include "config/base/fault_point.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

/// PRAGMA user_version of the schema below.
constexpr std::int64_t schema_version = 1;

constexpr auto of_connection = R"sql(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA busy_timeout = 5000;
)sql";

/// `once` is NULL for events that may repeat: NULLs are distinct in SQL. The
/// index needs no seq column: an index entry ends with its rowid, which seq is.
constexpr auto schema = R"sql(
  CREATE TABLE IF NOT EXISTS events(
    seq INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    container TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    once TEXT UNIQUE);
  CREATE INDEX IF NOT EXISTS events_of_container ON events(container);
  PRAGMA user_version = 1;
)sql";

constexpr auto insert_sql
  = "INSERT INTO events(seq, time, container, type, data, once) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(once) DO NOTHING";

constexpr auto drop_sql = "DELETE FROM events WHERE seq <= ?1";

/// In the order of their numbers, the old ones end where the first young one
/// is: one step of the primary key where nothing is to be dropped.
constexpr auto drop_aged_sql
  = "DELETE FROM events WHERE seq < coalesce((SELECT seq FROM events "
    "WHERE time >= ?1 ORDER BY seq LIMIT 1), ?2)";

constexpr auto has_sql = "SELECT 1 FROM events WHERE once = ?1";

// ?2 and ?4 are words between commas, which no type and no id contains.
constexpr auto read_all_sql
  = "SELECT seq, time, container, type, data, once FROM events "
    "WHERE seq > ?1 AND (?2 = '' OR instr(?2, ',' || type || ',')) "
    "AND (?4 = '' OR instr(?4, ',' || container || ',')) "
    "ORDER BY seq LIMIT ?3";

constexpr auto read_container_sql
  = "SELECT seq, time, container, type, data, once FROM events "
    "WHERE container = ?4 AND seq > ?1 "
    "AND (?2 = '' OR instr(?2, ',' || type || ',')) "
    "ORDER BY seq LIMIT ?3";

/// The one number that `sql` selects.
result<std::int64_t> number(sqlite::database& in, const char* sql) {
  TROUPE_TRY(auto query, in.prepare(sql));
  TROUPE_TRY(const auto has_row, query.step());
  return has_row ? query.integer(0) : 0;
}

std::string between_commas(const std::string& words) {
  return words.empty() ? words : "," + words + ",";
}

msg::event row_of(const sqlite::statement& at) {
  return {at.integer(0), at.integer(1), at.text(2),
          at.text(3),    at.text(4),    at.text(5)};
}

} // namespace

result<event_table> event_table::open(const std::string& path,
                                      event_retention keep) {
  TROUPE_TRY(auto database, sqlite::database::open(path));
  keep.max_events = std::max<std::int64_t>(keep.max_events, 1);
  event_table out{std::move(database), keep};
  if (auto prepared = out.prepare(); !prepared)
    return fail(std::move(prepared).error().during(path));
  return out;
}

outcome event_table::prepare() {
  TROUPE_TRY(const auto version, number(in_, "PRAGMA user_version"));
  if (version != 0 && version != schema_version)
    return fail(fault::invalid_config,
                "sqlite: found schema version " + std::to_string(version)
                  + ", expected " + std::to_string(schema_version));
  TROUPE_CHECK(in_.execute(of_connection));
  if (version == 0) // Else nothing is written: the disk may be full.
    TROUPE_CHECK(in_.execute(schema));
  TROUPE_TRY(insert_, in_.prepare(insert_sql));
  TROUPE_TRY(drop_, in_.prepare(drop_sql));
  TROUPE_TRY(drop_aged_, in_.prepare(drop_aged_sql));
  TROUPE_TRY(has_, in_.prepare(has_sql));
  TROUPE_TRY(read_all_, in_.prepare(read_all_sql));
  TROUPE_TRY(read_container_, in_.prepare(read_container_sql));
  TROUPE_TRY(last_seq_, number(in_, "SELECT max(seq) FROM events"));
  return {};
}

outcome
event_table::append(std::span<const msg::append_events* const> batches) {
  TROUPE_TRY(auto writing, sqlite::transaction::begin(in_));
  auto last = last_seq_;
  for (const auto* batch : batches)
    for (const auto& event : batch->events) {
      TROUPE_TRY(const auto is_new, insert(event, last + 1));
      last += is_new ? 1 : 0;
    }
  TROUPE_CHECK(drop_oldest(last));
  const fault_scope step{"events", "commit"};
  TROUPE_CHECK(step.failure());
  TROUPE_CHECK(writing.commit());
  last_seq_ = last;
  return {};
}

/// Whether it was new. A refused event takes no number, so there is no gap.
result<bool> event_table::insert(const msg::event& x, std::int64_t seq) {
  TROUPE_CHECK(insert_.bind(1, seq));
  TROUPE_CHECK(insert_.bind(2, x.time != 0 ? x.time : now_ns()));
  TROUPE_CHECK(insert_.bind(3, x.container));
  TROUPE_CHECK(insert_.bind(4, x.type));
  TROUPE_CHECK(insert_.bind(5, x.data));
  TROUPE_CHECK(x.once.empty() ? insert_.bind_null(6) : insert_.bind(6, x.once));
  TROUPE_CHECK(insert_.run());
  return in_.changes() == 1;
}

outcome event_table::drop_oldest(std::int64_t last) {
  if (last > keep_.max_events) {
    TROUPE_CHECK(drop_.bind(1, last - keep_.max_events));
    TROUPE_CHECK(drop_.run());
  }
  if (keep_.max_age == 0)
    return {};
  TROUPE_CHECK(drop_aged_.bind(1, now_ns() - keep_.max_age));
  TROUPE_CHECK(drop_aged_.bind(2, last));
  return drop_aged_.run();
}

result<bool> event_table::has(const std::string& once) {
  has_.reset();
  TROUPE_CHECK(has_.bind(1, once));
  auto found = has_.step();
  has_.reset();
  return found;
}

result<msg::events> event_table::read(const msg::read_events& what) {
  const auto is_one = !what.container.empty()
                      && what.container.find(',') == std::string::npos;
  auto& query = is_one ? read_container_ : read_all_;
  const auto types = between_commas(what.type);
  const auto containers = is_one ? what.container
                                 : between_commas(what.container);
  query.reset();
  TROUPE_CHECK(query.bind(1, what.since));
  TROUPE_CHECK(query.bind(2, types));
  TROUPE_CHECK(
    query.bind(3, std::clamp<std::int64_t>(what.limit, 0, max_rows)));
  TROUPE_CHECK(query.bind(4, containers));
  msg::events out;
  for (;;) {
    const auto has_row = query.step();
    if (!has_row || !*has_row) {
      query.reset();
      TROUPE_CHECK(has_row);
      out.last_seq = last_seq_;
      return out;
    }
    out.all.push_back(row_of(query));
  }
}

} // namespace troupe
