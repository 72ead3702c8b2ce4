#include "node/io/sqlite.h"

namespace kms::node::io {

Statement::Statement(sqlite3* database, const char* sql) : database_(database) {
  if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) != SQLITE_OK)
    fail(database_);
}

Statement& Statement::bind(int at, std::string_view text) {
  // A null pointer would bind NULL in place of the empty text.
  const char* bytes = text.empty() ? "" : text.data();
  if (sqlite3_bind_text(statement_, at, bytes, static_cast<int>(text.size()), SQLITE_STATIC) != SQLITE_OK)
    fail(database_);
  return *this;
}

Statement& Statement::bind(int at, ByteView blob) {
  const void* bytes = blob.empty() ? static_cast<const void*>("") : blob.data();
  if (sqlite3_bind_blob(statement_, at, bytes, static_cast<int>(blob.size()), SQLITE_STATIC) != SQLITE_OK)
    fail(database_);
  return *this;
}

Statement& Statement::bind(int at, std::int64_t value) {
  if (sqlite3_bind_int64(statement_, at, value) != SQLITE_OK) fail(database_);
  return *this;
}

Statement& Statement::bind_null(int at) {
  if (sqlite3_bind_null(statement_, at) != SQLITE_OK) fail(database_);
  return *this;
}

bool Statement::step() {
  const int status = sqlite3_step(statement_);
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) return false;
  fail(database_);
}

void Statement::run() {
  const Use use(*this);
  while (step()) continue;
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

ByteView Statement::blob(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return {static_cast<const std::uint8_t*>(bytes), static_cast<std::size_t>(size)};
}

void execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(database);
}

void fail(sqlite3* database) {
  if ((sqlite3_errcode(database) & 0xff) == SQLITE_FULL) throw DiskFull();
  throw StoreFailure(std::string("the store's database reports: ") + sqlite3_errmsg(database));
}

}  // namespace kms::node::io
