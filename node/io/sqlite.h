// The few calls of SQLite's C interface that the store needs, with owners and exceptions (StoreFailure). Included by
// node/io/*.cpp only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "node/store.h"

namespace kms::node::io {

// A write found no room. Nothing is wrong with the store itself.
class DiskFull : public StoreFailure {
 public:
  DiskFull()
      : StoreFailure("the disk that holds the store is full; free some space there, then start the node again") {}
};

class Statement {
 public:
  Statement(sqlite3* database, const char* sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  // Parameters count from 1; the views must live until `reset`.
  Statement& bind(int at, std::string_view text);
  Statement& bind(int at, ByteView blob);
  Statement& bind(int at, std::int64_t value);
  Statement& bind_null(int at);
  // True: a row is there. False: done.
  bool step();
  // Steps once to the end and resets.
  void run();
  void reset();

  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  // Valid until the next step or reset.
  ByteView blob(int column) const;
  std::string text(int column) const { return std::string(as_text(blob(column))); }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

// Resets when the scope ends, so that no read keeps a transaction open.
class Use {
 public:
  explicit Use(Statement& statement) : statement_(statement) {}
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() { statement_.reset(); }
  Statement* operator->() const { return &statement_; }

 private:
  Statement& statement_;
};

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

void execute(sqlite3* database, const char* sql);
// Throws what the database reported last.
[[noreturn]] void fail(sqlite3* database);

}  // namespace kms::node::io
