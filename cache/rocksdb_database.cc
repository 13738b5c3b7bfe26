#include "cache/rocksdb_database.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/table.h>

#include <utility>

#include "cache/byte_io.h"
#include "cache/rocksdb_error.h"
#include "cache/rocksdb_log.h"

namespace kiln {
namespace {

constexpr std::array<const char*, kColumnCount> kColumnNames = {
    "entries", "summaries", "manifests", "requests", "sources",
    "bundles", "intakes",   "bundled",   "pins",     "members"};

constexpr std::size_t kMiB = std::size_t{1} << 20;

// For a daemon that shares its node with the programs it serves: little memory, few files, a fast open.
rocksdb::DBOptions databaseOptions(const std::filesystem::path& directory, rocksdb::Env* env) {
  rocksdb::DBOptions options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.db_write_buffer_size = 32 * kMiB;
  options.max_total_wal_size = 64 * kMiB;
  options.max_open_files = 512;
  options.max_file_opening_threads = 2;
  options.skip_stats_update_on_db_open = true;
  options.max_background_jobs = 2;
  options.allow_concurrent_memtable_write = false;  // a vector takes one writer at a time
  options.avoid_flush_during_shutdown = true;       // all that is unlogged then nobody needs
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.info_log = makeStoreLog(directory);
  return options;
}

rocksdb::ColumnFamilyOptions columnOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = 4 * kMiB;
  options.compression = rocksdb::kZSTD;
  return options;
}

// Large values go to blob files, so that a compaction does not copy binaries. Without a blob cache a read
// that must not block would find none of them.
rocksdb::ColumnFamilyOptions blobColumnOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  auto options = columnOptions(cache);
  options.write_buffer_size = 16 * kMiB;
  options.enable_blob_files = true;
  options.min_blob_size = 4096;
  options.blob_file_size = 64 * kMiB;
  options.blob_compression_type = rocksdb::kZSTD;
  options.enable_blob_garbage_collection = true;
  options.blob_cache = cache;
  return options;
}

rocksdb::ColumnFamilyOptions optionsOf(Column column, const std::shared_ptr<rocksdb::Cache>& cache) {
  switch (column) {
    case Column::entries:
    case Column::requests:
      return blobColumnOptions(cache);
    case Column::bundled: {
      // Thousands of entries come at once: under ZSTD, in a sorted memtable or with a compaction beside them
      // they would wait for those before them to be written. A lookup in a vector sorts a copy of it, and so
      // goes there only for what the filter may have.
      auto options = blobColumnOptions(cache);
      options.compression = rocksdb::kLZ4Compression;
      options.blob_compression_type = rocksdb::kLZ4Compression;
      options.level0_file_num_compaction_trigger = 16;
      options.memtable_factory = std::make_shared<rocksdb::VectorRepFactory>();
      options.memtable_whole_key_filtering = true;
      options.memtable_prefix_bloom_size_ratio = 0.02;
      return options;
    }
    default:
      return columnOptions(cache);
  }
}

std::vector<rocksdb::ColumnFamilyDescriptor> columns() {
  auto cache = rocksdb::NewLRUCache(32 * kMiB);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (std::size_t i = 0; i < kColumnCount; ++i) {
    descriptors.emplace_back(kColumnNames[i], optionsOf(static_cast<Column>(i), cache));
  }
  descriptors.emplace_back(rocksdb::kDefaultColumnFamilyName, columnOptions(cache));
  return descriptors;
}

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

std::string key(std::string_view domain, std::initializer_list<Bytes> digests) {
  ByteWriter bytes;
  bytes.u16(static_cast<std::uint16_t>(domain.size()));
  bytes.raw(asBytes(domain));
  for (auto digest : digests) bytes.raw(digest);
  return bytes.take();
}

// The least string behind all that start with `prefix`; a domain's length is never all ones, so there is one.
std::string behindAll(std::string prefix) {
  while (prefix.back() == '\xff') prefix.pop_back();
  ++prefix.back();
  return prefix;
}

}  // namespace

std::string rowKey(std::string_view domain) { return key(domain, {}); }
std::string rowKey(std::string_view domain, const Hash128& first) { return key(domain, {first.view()}); }
std::string rowKey(std::string_view domain, const Hash128& first, const Hash128& second) {
  return key(domain, {first.view(), second.view()});
}
std::string rowKey(std::string_view domain, const Hash128& first, const Hash128& second,
                   const Hash128& third) {
  return key(domain, {first.view(), second.view(), third.view()});
}
std::string rowKey(std::string_view domain, const Sha256& digest) { return key(domain, {digest.view()}); }
std::string rowKey(std::string_view domain, const Sha256& digest, const Hash128& last) {
  return key(domain, {digest.view(), last.view()});
}

std::string_view domainOf(std::string_view row) {
  ByteReader bytes(asBytes(row));
  return asText(bytes.raw(bytes.u16()));
}

Hash128 lastHash(std::string_view row) {
  if (row.size() < Hash128::kSize) return {};
  return *Hash128::fromBytes(asBytes(row.substr(row.size() - Hash128::kSize)));
}

StoreResult<std::unique_ptr<Database>> Database::open(const std::filesystem::path& directory,
                                                      rocksdb::Env* env) {
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  auto status =
      rocksdb::DB::Open(databaseOptions(directory, env), directory.string(), columns(), &handles, &db);
  if (!status.ok()) return std::unexpected(storeError("open", directory, status));
  return std::unique_ptr<Database>(
      new Database(directory, std::unique_ptr<rocksdb::DB>(db), std::move(handles)));
}

Database::Database(std::filesystem::path directory, std::unique_ptr<rocksdb::DB> db,
                   std::vector<rocksdb::ColumnFamilyHandle*> handles)
    : directory_(std::move(directory)), db_(std::move(db)), handles_(std::move(handles)) {}

Database::~Database() {
  for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
}

rocksdb::ColumnFamilyHandle* Database::handle(Column column) const {
  return handles_[static_cast<std::size_t>(column)];
}

rocksdb::ReadOptions Database::readOptions(const Snapshot* snapshot) {
  rocksdb::ReadOptions options;
  if (snapshot != nullptr) options.snapshot = snapshot->snapshot_.snapshot();
  return options;
}

StoreResult<Database::Row> Database::get(Column column, const std::string& row,
                                         const Snapshot* snapshot) const {
  std::string value;
  auto status = db_->Get(readOptions(snapshot), handle(column), row, &value);
  if (status.IsNotFound()) return Row{};
  if (status.IsCorruption()) return Row{{}, true};
  if (!status.ok()) return std::unexpected(storeError("read", directory_, status));
  return Row{std::move(value)};
}

bool Database::mayHave(Column column, const std::string& row) const {
  std::string value;
  return db_->KeyMayExist({}, handle(column), row, &value);
}

StoreResult<void> Database::scan(
    Column column, const std::string& start, const std::string& prefix,
    const std::function<bool(std::string_view row, std::string_view value)>& visit,
    const Snapshot* snapshot) const {
  auto options = readOptions(snapshot);
  // Or the search for a last row would go on through all that was erased behind it.
  auto behind = prefix.empty() ? std::string() : behindAll(prefix);
  rocksdb::Slice bound(behind);
  if (!prefix.empty()) options.iterate_upper_bound = &bound;
  std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options, handle(column)));
  for (at->Seek(start); at->Valid(); at->Next()) {
    if (!visit(view(at->key()), view(at->value()))) return {};
  }
  if (!at->status().ok()) return std::unexpected(storeError("read", directory_, at->status()));
  return {};
}

void Database::Batch::put(Column column, const std::string& row, std::string_view value) {
  batch_.Put(database_.handle(column), row, rocksdb::Slice(value.data(), value.size()));
}

void Database::Batch::erase(Column column, const std::string& row) {
  batch_.Delete(database_.handle(column), row);
}

void Database::Batch::eraseAll(Column column, const std::string& prefix) {
  batch_.DeleteRange(database_.handle(column), prefix, behindAll(prefix));
}

StoreResult<void> Database::write(Batch& batch, Durability durability) {
  rocksdb::WriteOptions options;
  options.sync = durability == Durability::synced;
  options.disableWAL = durability == Durability::unlogged;
  auto status = putFiller();
  if (status.ok()) status = db_->Write(options, &batch.batch_);
  if (!status.ok()) return std::unexpected(storeError("write to", directory_, status));
  return {};
}

// When there is room again on a disk that was full, RocksDB begins a new log as it flushes what it has in
// memory, and if it has nothing goes on with the log that broke, and aborts. So it has something before each
// write.
rocksdb::Status Database::putFiller() {
  std::uint64_t rows = 0;
  if (db_->GetIntProperty(handles_.back(), rocksdb::DB::Properties::kNumEntriesActiveMemTable, &rows) &&
      rows > 0)
    return rocksdb::Status::OK();
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  return db_->Put(options, handles_.back(), "filler", "");
}

StoreResult<void> Database::flush(Column column) {
  auto status = db_->Flush({}, handle(column));
  if (!status.ok()) return std::unexpected(storeError("write to", directory_, status));
  return {};
}

void Database::beginFlush(Column column) {
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;  // or it would wait for a flush that is under way
  (void)db_->Flush(options, handle(column));
}

std::uint64_t Database::bytes() const {
  std::uint64_t total = 0;
  const auto count = [&](rocksdb::ColumnFamilyHandle* handle, const char* property) {
    std::uint64_t value = 0;
    if (db_->GetIntProperty(handle, property, &value)) total += value;
  };
  for (auto* one : handles_) {
    count(one, "rocksdb.total-sst-files-size");
    count(one, "rocksdb.total-blob-file-size");
    // A vector cannot tell its size while it is written to.
    if (one != handle(Column::bundled)) count(one, "rocksdb.cur-size-all-mem-tables");
  }
  return total;
}

}  // namespace kiln
