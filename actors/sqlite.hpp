#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

/// The little of SQLite that the event log needs, as values that clean up after
/// themselves. Failures carry SQLite's own message; a full disk is `exhausted`,
/// a file that is no database, damaged or of other tables `invalid_config`.
namespace troupe::sqlite {

/// A prepared statement, used over and over: bind, step until false, reset.
class statement {
public:
  statement() = default;

  /// Parameters count from 1, as in SQL. A bound text must live until `reset`.
  outcome bind(int parameter, std::int64_t value);
  outcome bind(int parameter, std::string_view text);
  outcome bind_null(int parameter);

  /// Goes to the next row; false when there is none.
  [[nodiscard]] result<bool> step();

  /// Forgets row and parameters.
  void reset() noexcept;

  /// Runs a statement without rows once, and resets it.
  outcome run();

  /// Columns of the current row, counted from 0.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;

private:
  friend class database;

  struct finalizer {
    void operator()(sqlite3_stmt* x) const noexcept;
  };

  outcome check(int code) const;

  std::unique_ptr<sqlite3_stmt, finalizer> handle_;
};

/// A connection; used by one thread at a time.
class database {
public:
  [[nodiscard]] static result<database> open(const std::string& path);

  /// Runs SQL text without parameters.
  outcome execute(const char* sql);

  [[nodiscard]] result<statement> prepare(const char* sql);

  /// Rows that the last INSERT, UPDATE or DELETE changed.
  [[nodiscard]] std::int64_t changes() const noexcept;

private:
  struct closer {
    void operator()(sqlite3* x) const noexcept;
  };

  std::unique_ptr<sqlite3, closer> handle_;
};

/// BEGIN IMMEDIATE, and ROLLBACK unless `commit` succeeds.
class transaction {
public:
  [[nodiscard]] static result<transaction> begin(database& in);

  transaction(transaction&& other) noexcept;
  transaction& operator=(transaction&&) = delete;
  ~transaction();

  outcome commit();

private:
  explicit transaction(database& in) noexcept : in_(&in) {
  }

  database* in_;
};

} // namespace troupe::sqlite
