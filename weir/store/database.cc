#include "weir/store/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>

namespace weir::store {
namespace {

constexpr int wait_for_others_ms = 10'000;  // another weir writes the same history

ErrorCode code_of(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
      return ErrorCode::invalid;
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
      return ErrorCode::limit;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return ErrorCode::denied;
    default:
      return ErrorCode::io;
  }
}

Error error_of(sqlite3* handle, int code) {
  const char* words = handle == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle);
  return Error{code_of(code), std::string("the history's database says: ") + words, {}, 0, {}};
}

}  // namespace

Statement::Statement(sqlite3* database, std::string_view sql) : database_(database) {
  code_ =
      sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Error Statement::error() const {
  return error_of(database_, code_);
}

Statement& Statement::bind(std::int64_t number) {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_, next_parameter_++, number);
  return *this;
}

Statement& Statement::bind(std::string_view bytes) {
  // A null pointer would bind NULL.
  const char* data = bytes.empty() ? "" : bytes.data();
  if (code_ == SQLITE_OK)
    code_ = sqlite3_bind_blob64(statement_, next_parameter_++, data, bytes.size(),
                                SQLITE_TRANSIENT);  // NOLINT: the macro casts
  return *this;
}

Statement& Statement::bind_null() {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_null(statement_, next_parameter_++);
  return *this;
}

Result<bool> Statement::next() {
  if (code_ != SQLITE_OK) return fail(error());
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    code_ = code;
    return fail(error());
  }
  sqlite3_reset(statement_);
  next_parameter_ = 1;
  return false;
}

Result<void> Statement::run() {
  WEIR_TRY_VOID(next());
  return {};
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void Database::Close::operator()(sqlite3* handle) const {
  sqlite3_close(handle);
}

Result<Database> Database::open(const std::string& path) {
  if (path != ":memory:") {
    // Labels and paths of a program are nobody else's; SQLite itself would follow the umask.
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
      return fail(errno == EACCES || errno == EROFS ? ErrorCode::denied : ErrorCode::io,
                  "the history cannot be opened", path, errno);
    ::close(fd);
  }
  Database database;
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  database.handle_.reset(handle);
  if (code != SQLITE_OK) return fail(error_of(handle, code).with(path));
  sqlite3_busy_timeout(handle, wait_for_others_ms);
  return database;
}

Result<void> Database::run(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error_of(handle_.get(), code));
  return {};
}

std::int64_t Database::last_id() const {
  return sqlite3_last_insert_rowid(handle_.get());
}

std::uint64_t Database::changed() const {
  return static_cast<std::uint64_t>(sqlite3_changes64(handle_.get()));
}

Result<Transaction> Transaction::begin(Database& database) {
  WEIR_TRY_VOID(database.run("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // Nothing to tell it to: what made it roll back is on its way as an error already.
  if (const auto rolled_back = database_->run("ROLLBACK"); !rolled_back) return;
}

Result<void> Transaction::commit() {
  WEIR_TRY_VOID(database_->run("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace weir::store
