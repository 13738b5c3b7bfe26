#include "cache/rocksdb_store.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <tuple>
#include <utility>

#include "cache/rocksdb_bundle_intake.h"
#include "cache/rocksdb_database.h"
#include "cache/rocksdb_erasure.h"
#include "cache/rocksdb_rows.h"
#include "cache/rocksdb_store_env.h"
#include "cache/store_directory.h"
#include "jit/request_hash.h"

namespace kiln {
namespace {

class RocksDbStore final : public Store {
 public:
  explicit RocksDbStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  StoreResult<std::vector<Manifest>> manifests(std::string_view domain, const Hash128& requestHash,
                                               Which which) override;
  StoreResult<std::optional<Entry>> find(std::string_view domain, const EntryKey& key, Which which) override;
  StoreResult<void> put(const Entry& entry, const Request& request) override;
  StoreResult<void> touch(std::string_view domain, const Hash128& requestHash, const EntryKey& key) override;
  StoreResult<bool> remove(std::string_view domain, const EntryKey& key, Which which) override;
  StoreResult<std::optional<Request>> request(std::string_view domain, const Hash128& requestHash) override;
  StoreResult<std::vector<Request>> requestsWithSource(std::string_view domain, const Hash128& sourceHash,
                                                       std::size_t limit) override;
  StoreResult<std::vector<EntrySummary>> list(std::string_view domain, std::optional<EntryKey> after,
                                              std::size_t limit) override;
  StoreResult<StoreStatistics> statistics() override;
  StoreResult<std::unique_ptr<BundleIntake>> beginBundle(BundleRecord record) override;
  StoreResult<bool> removeBundle(std::string_view domain, const Sha256& digest) override;
  StoreResult<bool> isWhole(std::string_view domain, const Sha256& digest) override;
  StoreResult<std::vector<BundleRecord>> bundles(std::string_view domain) override;
  StoreResult<std::vector<BundleRecord>> allBundles() override;

 private:
  template <typename Read, typename Erase>
  auto readOrDrop(const Read& read, const Erase& erase) -> StoreResult<decltype(read()->value)>;

  StoreResult<std::vector<StoredManifest>> storedManifests(std::string_view domain,
                                                           const Hash128& requestHash);
  StoreResult<void> writeEntry(const Entry& entry, const Request& request, const EncodedEntry& encoded);
  StoreResult<bool> isMeant(std::string_view domain, const EntryKey& key, Which which) const;
  StoreResult<std::size_t> countManifests(std::string_view domain, const Hash128& requestHash) const;
  StoreResult<void> forgetLeastUsed(std::string_view domain, const Hash128& requestHash);
  StoreResult<void> eraseEntryNow(std::string_view domain, const EntryKey& key);
  StoreResult<std::vector<BundleRecord>> bundlesOf(const std::string& prefix);

  std::unique_ptr<Database> database_;
  // Puts share it; what erases because of what it read holds it alone.
  std::shared_mutex erasing_;
  std::atomic<std::uint64_t> corrupt_ = 0;
  std::atomic<std::uint64_t> begun_ = 0;
};

// What `read` finds; a bad row is dropped with what `erase` adds to a batch, counted, and absent.
template <typename Read, typename Erase>
auto RocksDbStore::readOrDrop(const Read& read, const Erase& erase) -> StoreResult<decltype(read()->value)> {
  auto found = read();
  if (found && found->bad) {
    std::unique_lock lock(erasing_);
    found = read();  // a put may have replaced it meanwhile
    if (found && found->bad) {
      ++corrupt_;
      // Where the disk takes no erasure the row is found bad again the next time.
      Database::Batch batch(*database_);
      if (erase(batch)) (void)database_->write(batch, Database::Durability::unsynced);
    }
  }
  if (!found) return std::unexpected(std::move(found.error()));
  return std::move(found->value);
}

StoreResult<std::vector<Manifest>> RocksDbStore::manifests(std::string_view domain,
                                                           const Hash128& requestHash, Which which) {
  auto stored = storedManifests(domain, requestHash);
  if (!stored) return std::unexpected(std::move(stored.error()));
  std::vector<Manifest> manifests;
  manifests.reserve(stored->size());
  for (auto& item : *stored) {
    auto wanted = isMeant(domain, item.manifest.key, which);
    if (!wanted) return std::unexpected(std::move(wanted.error()));
    if (*wanted) manifests.push_back(std::move(item.manifest));
  }
  return manifests;
}

// In order of manifests().
StoreResult<std::vector<StoredManifest>> RocksDbStore::storedManifests(std::string_view domain,
                                                                       const Hash128& requestHash) {
  std::vector<StoredManifest> stored;
  std::vector<EntryKey> bad;
  auto prefix = rowKey(domain, requestHash);
  auto scanned =
      database_->scan(Column::manifests, prefix, prefix, [&](std::string_view row, std::string_view value) {
        auto key = lastHash(row);
        if (auto manifest = verifiedManifest(value, key)) {
          stored.push_back(std::move(*manifest));
        } else {
          bad.push_back(key);
        }
        return true;
      });
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  for (const auto& key : bad) {
    auto again = readOrDrop([&] { return readManifest(*database_, domain, requestHash, key); },
                            [&](auto& batch) { return eraseEntry(*database_, batch, domain, key); });
    if (!again) return std::unexpected(std::move(again.error()));
    if (*again) stored.push_back(std::move(**again));
  }
  // Equal orders are those of puts that ran at once: any order is right, the same each time is better.
  std::stable_sort(stored.begin(), stored.end(),
                   [](const StoredManifest& a, const StoredManifest& b) { return a.order > b.order; });
  return stored;
}

StoreResult<bool> RocksDbStore::isMeant(std::string_view domain, const EntryKey& key, Which which) const {
  if (which == Which::all) return true;
  auto pinned = isPinned(*database_, domain, key);
  if (!pinned) return pinned;
  return *pinned == (which == Which::pinned);
}

StoreResult<std::optional<Entry>> RocksDbStore::find(std::string_view domain, const EntryKey& key,
                                                     Which which) {
  if (which != Which::all) {
    std::shared_lock lock(erasing_);  // no pin comes or goes until the entry is read
    auto meant = isMeant(domain, key, which);
    if (!meant) return std::unexpected(std::move(meant.error()));
    if (!*meant) return std::nullopt;
    auto found = readEntry(*database_, domain, key);
    if (!found) return std::unexpected(std::move(found.error()));
    if (!found->bad) return std::move(found->value);
  }
  return readOrDrop([&] { return readEntry(*database_, domain, key); },
                    [&](auto& batch) { return eraseEntry(*database_, batch, domain, key); });
}

StoreResult<void> RocksDbStore::put(const Entry& entry, const Request& request) {
  if (auto problem = whyNotStorable(entry, request); !problem.empty()) {
    return std::unexpected(StoreError{std::move(problem)});
  }
  auto encoded = encodeToStore(entry, request);
  if (!encoded) return std::unexpected(std::move(encoded.error()));
  if (auto written = writeEntry(entry, request, *encoded); !written) return written;
  return forgetLeastUsed(entry.domain, entry.requestHash);
}

StoreResult<void> RocksDbStore::writeEntry(const Entry& entry, const Request& request,
                                           const EncodedEntry& encoded) {
  const auto& domain = entry.domain;
  const auto& hash = entry.requestHash;
  std::shared_lock lock(erasing_);
  auto pinned = isPinned(*database_, domain, entry.key);
  if (!pinned) return std::unexpected(std::move(pinned.error()));
  if (*pinned) return {};
  StoredManifest manifest{manifestOf(entry), database_->sequence()};
  Database::Batch batch(*database_);
  batch.put(Column::entries, rowKey(domain, entry.key), encoded.entry);
  batch.put(Column::summaries, rowKey(domain, entry.key),
            encodeSummary({summaryOf(entry, request.target), hash}));
  batch.put(Column::manifests, rowKey(domain, hash, entry.key), encodeManifest(manifest));
  batch.put(Column::requests, rowKey(domain, hash), encoded.request);
  batch.put(Column::sources, rowKey(domain, xxh3(request.source), hash), {});
  return database_->write(batch, Database::Durability::synced);
}

// The entry that was just stored is the most recently used, so it stays. Pins are asked for under the lock: a
// bundle that comes meanwhile loses nothing.
StoreResult<void> RocksDbStore::forgetLeastUsed(std::string_view domain, const Hash128& requestHash) {
  auto count = countManifests(domain, requestHash);
  if (!count) return std::unexpected(std::move(count.error()));
  if (*count <= kMaxEntriesPerRequest) return {};
  auto stored = storedManifests(domain, requestHash);
  if (!stored) return std::unexpected(std::move(stored.error()));
  std::unique_lock lock(erasing_);
  std::size_t evictable = 0;
  for (const auto& item : *stored) {
    const auto& key = item.manifest.key;
    auto pinned = isPinned(*database_, domain, key);
    if (!pinned) return std::unexpected(std::move(pinned.error()));
    if (*pinned || ++evictable <= kMaxEntriesPerRequest) continue;
    if (auto erased = eraseEntryNow(domain, key); !erased) return erased;
  }
  return {};
}

StoreResult<std::size_t> RocksDbStore::countManifests(std::string_view domain,
                                                      const Hash128& requestHash) const {
  std::size_t count = 0;
  auto prefix = rowKey(domain, requestHash);
  auto scanned = database_->scan(Column::manifests, prefix, prefix, [&](std::string_view, std::string_view) {
    ++count;
    return true;
  });
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  return count;
}

StoreResult<void> RocksDbStore::touch(std::string_view domain, const Hash128& requestHash,
                                      const EntryKey& key) {
  std::unique_lock lock(erasing_);  // what was erased meanwhile must not come back
  auto found = readManifest(*database_, domain, requestHash, key);
  if (!found) return std::unexpected(std::move(found.error()));
  if (!found->value) return {};
  found->value->order = database_->sequence();
  Database::Batch batch(*database_);
  batch.put(Column::manifests, rowKey(domain, requestHash, key), encodeManifest(*found->value));
  return database_->write(batch, Database::Durability::unsynced);
}

StoreResult<bool> RocksDbStore::remove(std::string_view domain, const EntryKey& key, Which which) {
  std::unique_lock lock(erasing_);
  auto meant = isMeant(domain, key, which);
  if (!meant || !*meant) return meant;
  auto summary = readSummary(*database_, domain, key);
  if (!summary) return std::unexpected(std::move(summary.error()));
  if (auto erased = eraseEntryNow(domain, key); !erased) return std::unexpected(std::move(erased.error()));
  return summary->value.has_value();
}

// The caller holds erasing_ alone.
StoreResult<void> RocksDbStore::eraseEntryNow(std::string_view domain, const EntryKey& key) {
  Database::Batch batch(*database_);
  if (auto erased = eraseEntry(*database_, batch, domain, key); !erased) return erased;
  return database_->write(batch, Database::Durability::unsynced);
}

StoreResult<std::optional<Request>> RocksDbStore::request(std::string_view domain,
                                                          const Hash128& requestHash) {
  return readOrDrop([&] { return readRequest(*database_, domain, requestHash); },
                    [&](auto& batch) { return eraseRequest(*database_, batch, domain, requestHash); });
}

StoreResult<std::vector<Request>> RocksDbStore::requestsWithSource(std::string_view domain,
                                                                   const Hash128& sourceHash,
                                                                   std::size_t limit) {
  std::vector<Hash128> hashes;
  auto prefix = rowKey(domain, sourceHash);
  auto scanned =
      database_->scan(Column::sources, prefix, prefix, [&](std::string_view row, std::string_view) {
        if (hashes.size() < limit) hashes.push_back(lastHash(row));
        return hashes.size() < limit;
      });
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  std::vector<Request> requests;
  for (const auto& hash : hashes) {
    auto found = request(domain, hash);
    if (!found) return std::unexpected(std::move(found.error()));
    if (*found) requests.push_back(std::move(**found));
  }
  return requests;
}

StoreResult<std::vector<EntrySummary>> RocksDbStore::list(std::string_view domain,
                                                          std::optional<EntryKey> after, std::size_t limit) {
  std::vector<EntrySummary> page;
  std::vector<EntryKey> bad;
  auto prefix = rowKey(domain);
  auto start = after ? rowKey(domain, *after) : prefix;
  auto scanned =
      database_->scan(Column::summaries, start, prefix, [&](std::string_view row, std::string_view value) {
        if (page.size() == limit) return false;
        auto key = lastHash(row);
        if (after && key == *after) return true;
        if (auto stored = verifiedSummary(value, domain, key)) {
          page.push_back(std::move(stored->summary));
        } else {
          bad.push_back(key);
        }
        return true;
      });
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  for (const auto& key : bad) {
    (void)readOrDrop([&] { return readSummary(*database_, domain, key); },
                     [&](auto& batch) { return eraseEntry(*database_, batch, domain, key); });
  }
  return page;
}

StoreResult<StoreStatistics> RocksDbStore::statistics() {
  StoreStatistics statistics;
  auto scanned = database_->scan(Column::summaries, {}, {}, [&](std::string_view, std::string_view) {
    ++statistics.entries;
    return true;
  });
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  statistics.bytes = database_->bytes();
  statistics.corruptEntries = corrupt_;
  return statistics;
}

// Ids of intakes differ within a run by their number, and from earlier runs' by the sequence: each has
// written a row.
StoreResult<std::unique_ptr<BundleIntake>> RocksDbStore::beginBundle(BundleRecord record) {
  if (auto problem = whyNotStorable(record); !problem.empty()) {
    return std::unexpected(StoreError{std::move(problem)});
  }
  FieldHasher id;
  id.field(1, record.digest.view());
  id.field(2, database_->sequence());
  id.field(3, ++begun_);
  return beginIntake(*database_, erasing_, std::move(record), id.finish());
}

StoreResult<bool> RocksDbStore::removeBundle(std::string_view domain, const Sha256& digest) {
  std::unique_lock lock(erasing_);
  Database::Batch batch(*database_);
  auto erased = eraseBundle(*database_, batch, domain, digest);
  if (!erased || !*erased) return erased;
  auto written = database_->write(batch, Database::Durability::synced);
  if (!written) return std::unexpected(std::move(written.error()));
  return true;
}

StoreResult<bool> RocksDbStore::isWhole(std::string_view domain, const Sha256& digest) {
  std::shared_lock lock(erasing_);
  return isBundleWhole(*database_, domain, digest);
}

StoreResult<std::vector<BundleRecord>> RocksDbStore::bundles(std::string_view domain) {
  return bundlesOf(rowKey(domain));
}

StoreResult<std::vector<BundleRecord>> RocksDbStore::allBundles() { return bundlesOf({}); }

StoreResult<std::vector<BundleRecord>> RocksDbStore::bundlesOf(const std::string& prefix) {
  std::vector<BundleRecord> records;
  std::vector<std::string> bad;
  auto scanned =
      database_->scan(Column::bundles, prefix, prefix, [&](std::string_view row, std::string_view value) {
        if (auto record = verifiedBundle(value, row)) {
          records.push_back(std::move(*record));
        } else {
          bad.emplace_back(row);
        }
        return true;
      });
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  for (const auto& row : bad) {
    (void)readOrDrop([&] { return readBundle(*database_, row); },
                     [&](auto& batch) { return eraseBundleRow(*database_, batch, row); });
  }
  std::ranges::sort(records, {}, [](const BundleRecord& record) {
    return std::tie(record.domain, record.name, record.digest);
  });
  return records;
}

}  // namespace

StoreResult<std::unique_ptr<Store>> openRocksDbStore(const std::filesystem::path& directory,
                                                     rocksdb::Env* env) {
  if (auto prepared = prepareStoreDirectory(directory); !prepared) {
    return std::unexpected(std::move(prepared.error()));
  }
  auto database = Database::open(directory, env);
  if (!database) return std::unexpected(std::move(database.error()));
  // Where the disk takes no erasure the next opening has another try.
  Database::Batch leftovers(**database);
  if (eraseIntakes(**database, leftovers) && leftovers.rows() > 0) {
    (void)(*database)->write(leftovers, Database::Durability::unsynced);
  }
  return std::make_unique<RocksDbStore>(std::move(*database));
}

StoreResult<std::unique_ptr<Store>> openRocksDbStore(const std::filesystem::path& directory) {
  return openRocksDbStore(directory, nullptr);
}

}  // namespace kiln
