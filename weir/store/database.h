#pragma once
// A SQLite database and its statements, with Results for its error codes. Internal to store.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "weir/base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace weir::store {

/// One prepared statement. The first error sticks and is what run(), next() and later calls give.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  /// Parameters in their order, from the first.
  Statement& bind(std::int64_t number);
  Statement& bind(std::string_view bytes);
  Statement& bind_null();

  /// To the end, for a statement without rows; then it may be bound and run again. Errors: io,
  /// invalid (no database, or a broken one), limit (the disk is full), denied.
  Result<void> run();
  /// Whether there is another row. Errors: as run().
  Result<bool> next();

  // The columns of the row, from 0. Views last until the next call of next().
  std::int64_t number(int column) const;
  std::string_view bytes(int column) const;
  bool is_null(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  int code_ = 0;
  int next_parameter_ = 1;

  Error error() const;
};

class Database {
 public:
  /// Opens or creates; ":memory:" is one without a file. A new file is for its owner only. Errors:
  /// denied, io, invalid (no database).
  static Result<Database> open(const std::string& path);

  /// Statements without parameters and rows, separated by semicolons.
  Result<void> run(const char* sql);
  Statement statement(std::string_view sql) { return {handle_.get(), sql}; }
  std::int64_t last_id() const;
  /// Rows that the last statement changed or removed.
  std::uint64_t changed() const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

/// BEGIN now; ROLLBACK unless commit() was called.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace weir::store
