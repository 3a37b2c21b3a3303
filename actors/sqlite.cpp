#include "actors/sqlite.hpp"

#include <sqlite3.h>
#include <utility>

namespace troupe::sqlite {

namespace {

fault classify(int code) noexcept {
  switch (code) {
  case SQLITE_NOTADB:
  case SQLITE_CORRUPT:
  case SQLITE_ERROR: // The SQL does not fit the tables.
    return fault::invalid_config;
  case SQLITE_FULL:
  case SQLITE_NOMEM:
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return fault::exhausted;
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_AUTH:
    return fault::denied;
  default:
    return fault::os;
  }
}

/// `sqlite: database or disk is full`
failure failure_of(sqlite3* handle) {
  return {classify(sqlite3_errcode(handle)), sqlite3_system_errno(handle),
          std::string{"sqlite: "} + sqlite3_errmsg(handle)};
}

} // namespace

// -- statement ----------------------------------------------------------------

void statement::finalizer::operator()(sqlite3_stmt* x) const noexcept {
  sqlite3_finalize(x);
}

outcome statement::check(int code) const {
  if (code == SQLITE_OK)
    return {};
  return fail(failure_of(sqlite3_db_handle(handle_.get())));
}

outcome statement::bind(int parameter, std::int64_t value) {
  return check(sqlite3_bind_int64(handle_.get(), parameter, value));
}

outcome statement::bind(int parameter, std::string_view text) {
  return check(sqlite3_bind_text64(handle_.get(), parameter, text.data(),
                                   text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

outcome statement::bind_null(int parameter) {
  return check(sqlite3_bind_null(handle_.get(), parameter));
}

result<bool> statement::step() {
  const auto code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW || code == SQLITE_DONE)
    return code == SQLITE_ROW;
  return fail(failure_of(sqlite3_db_handle(handle_.get())));
}

void statement::reset() noexcept {
  // Its code repeats the last step's failure, which has been reported.
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());
}

outcome statement::run() {
  const auto stepped = step();
  reset();
  TROUPE_CHECK(stepped);
  return {};
}

std::int64_t statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

std::string statement::text(int column) const {
  const auto* bytes = sqlite3_column_text(handle_.get(), column);
  const auto size = sqlite3_column_bytes(handle_.get(), column);
  return bytes ? std::string{reinterpret_cast<const char*>(bytes),
                             static_cast<std::size_t>(size)}
               : std::string{};
}

// -- database -----------------------------------------------------------------

void database::closer::operator()(sqlite3* x) const noexcept {
  sqlite3_close_v2(x);
}

result<database> database::open(const std::string& path) {
  constexpr auto flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                         | SQLITE_OPEN_NOMUTEX;
  sqlite3* handle = nullptr;
  const auto code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  database out;
  out.handle_.reset(handle);
  if (!handle)
    return fail(fault::exhausted, "sqlite: out of memory");
  if (code != SQLITE_OK)
    return fail(failure_of(handle).during(path));
  return out;
}

outcome database::execute(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return fail(failure_of(handle_.get()));
  return {};
}

result<statement> database::prepare(const char* sql) {
  sqlite3_stmt* handle = nullptr;
  const auto code = sqlite3_prepare_v3(
    handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  statement out;
  out.handle_.reset(handle);
  if (code != SQLITE_OK)
    return fail(failure_of(handle_.get()));
  return out;
}

std::int64_t database::changes() const noexcept {
  return sqlite3_changes64(handle_.get());
}

// -- transaction --------------------------------------------------------------

result<transaction> transaction::begin(database& in) {
  TROUPE_CHECK(in.execute("BEGIN IMMEDIATE"));
  return transaction{in};
}

transaction::transaction(transaction&& other) noexcept
  : in_(std::exchange(other.in_, nullptr)) {
}

transaction::~transaction() {
  if (in_) // Fails where SQLite has rolled back itself, as on a full disk.
    static_cast<void>(in_->execute("ROLLBACK"));
}

outcome transaction::commit() {
  TROUPE_CHECK(in_->execute("COMMIT"));
  in_ = nullptr;
  return {};
}

} // namespace troupe::sqlite
