// The RocksDB database below a store: its columns, its options, and rows by key.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/snapshot.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "jit/store.h"

namespace kiln {

enum class Column : std::uint8_t {
  entries,
  summaries,
  manifests,
  requests,
  sources,
  bundles,
  intakes,
  bundled,
  pins,
  members
};
inline constexpr std::size_t kColumnCount = 10;

// Row keys, as rocksdb_store.h describes them. Rows of one domain stand together, in order of what follows.
std::string rowKey(std::string_view domain);
std::string rowKey(std::string_view domain, const Hash128& first);
std::string rowKey(std::string_view domain, const Hash128& first, const Hash128& second);
std::string rowKey(std::string_view domain, const Hash128& first, const Hash128& second,
                   const Hash128& third);
std::string rowKey(std::string_view domain, const Sha256& digest);
std::string rowKey(std::string_view domain, const Sha256& digest, const Hash128& last);
// The domain of a row key; empty if it holds none.
std::string_view domainOf(std::string_view row);
// The last hash of a row key; zero if it holds none.
Hash128 lastHash(std::string_view row);

// Thread-safe.
class Database {
 public:
  // `env` outlives the database; null: the real one.
  static StoreResult<std::unique_ptr<Database>> open(const std::filesystem::path& directory,
                                                     rocksdb::Env* env);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // What the database holds at one moment, for reads that belong together. The database outlives it.
  class Snapshot {
   public:
    explicit Snapshot(const Database& database) : snapshot_(database.db_.get()) {}

   private:
    friend class Database;
    mutable rocksdb::ManagedSnapshot snapshot_;  // whose one reader is not const
  };

  // A row as it was found; `damaged` when RocksDB's own checksums say so.
  struct Row {
    std::optional<std::string> value;
    bool damaged = false;
  };
  StoreResult<Row> get(Column column, const std::string& row, const Snapshot* snapshot = nullptr) const;
  // False only if there is no such row: an answer that reads no file.
  [[nodiscard]] bool mayHave(Column column, const std::string& row) const;
  // Calls `visit(row key, value)` for each row that starts with `prefix`, from `start` on, until it returns
  // false.
  StoreResult<void> scan(Column column, const std::string& start, const std::string& prefix,
                         const std::function<bool(std::string_view row, std::string_view value)>& visit,
                         const Snapshot* snapshot = nullptr) const;

  class Batch {
   public:
    // `expected` are the bytes that it will have, about.
    explicit Batch(const Database& database, std::size_t expected = 0)
        : database_(database), batch_(expected) {}
    void put(Column column, const std::string& row, std::string_view value);
    void erase(Column column, const std::string& row);
    // Every row that starts with `prefix`, which is not empty, at the cost of one.
    void eraseAll(Column column, const std::string& prefix);
    void clear() { batch_.Clear(); }
    [[nodiscard]] std::size_t bytes() const { return batch_.GetDataSize(); }
    [[nodiscard]] std::uint64_t rows() const { return static_cast<std::uint64_t>(batch_.Count()); }

   private:
    friend class Database;
    const Database& database_;
    rocksdb::WriteBatch batch_;
  };
  // What is unlogged goes to no log: a crash takes it unless its column was flushed since.
  enum class Durability : std::uint8_t { synced, unsynced, unlogged };
  // All or nothing. Once a disk was full RocksDB refuses writes until it has noticed, in seconds, that there
  // is room again.
  StoreResult<void> write(Batch& batch, Durability durability);

  // What the column has is on the disk when it returns.
  StoreResult<void> flush(Column column);
  // The same in the background; flush() waits for it, and fails if it does.
  void beginFlush(Column column);

  // Rises with every row that is written; through restarts too it is never below that of a row that is there.
  [[nodiscard]] std::uint64_t sequence() const { return db_->GetLatestSequenceNumber(); }
  // Of all files and of what is still in memory, about.
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  Database(std::filesystem::path directory, std::unique_ptr<rocksdb::DB> db,
           std::vector<rocksdb::ColumnFamilyHandle*> handles);
  [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(Column column) const;
  static rocksdb::ReadOptions readOptions(const Snapshot* snapshot);
  rocksdb::Status putFiller();

  std::filesystem::path directory_;
  std::unique_ptr<rocksdb::DB> db_;
  // In order of Column, then the default one, which has the filler alone.
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace kiln
