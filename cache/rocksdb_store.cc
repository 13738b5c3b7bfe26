#include "cache/rocksdb_store.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "cache/entry_format.h"
#include "cache/manifest_format.h"
#include "cache/request_format.h"
#include "cache/rocksdb_database.h"
#include "cache/rocksdb_store_env.h"
#include "cache/store_directory.h"
#include "cache/summary_format.h"
#include "jit/request_hash.h"

namespace kiln {
namespace {

// A row as it was found: a verified value, nothing, or something bad.
template <typename T>
struct Found {
  std::optional<T> value;
  bool bad = false;
};

// The checks of rows: that a value parses, and that it is the one that belongs in the row.

std::optional<Entry> verifiedEntry(std::string_view value, std::string_view domain, const EntryKey& key) {
  auto entry = parseEntry(asBytes(value));
  if (!entry || entry->key != key || entry->domain != domain) return std::nullopt;
  return std::move(*entry);
}

std::optional<StoredSummary> verifiedSummary(std::string_view value, std::string_view domain,
                                             const EntryKey& key) {
  auto stored = parseSummary(asBytes(value));
  if (!stored || stored->summary.key != key || stored->summary.domain != domain) return std::nullopt;
  return std::move(*stored);
}

std::optional<StoredManifest> verifiedManifest(std::string_view value, const EntryKey& key) {
  auto stored = parseManifest(asBytes(value));
  if (!stored || stored->manifest.key != key) return std::nullopt;
  return std::move(*stored);
}

std::optional<Request> verifiedRequest(std::string_view value, const Hash128& hash) {
  auto request = parseRequest(asBytes(value));
  if (!request || requestHash(*request) != hash) return std::nullopt;
  return std::move(*request);
}

class RocksDbStore final : public Store {
 public:
  explicit RocksDbStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  StoreResult<std::vector<Manifest>> manifests(std::string_view domain, const Hash128& requestHash) override;
  StoreResult<std::optional<Entry>> find(std::string_view domain, const EntryKey& key) override;
  StoreResult<void> put(const Entry& entry, const Request& request) override;
  StoreResult<void> touch(std::string_view domain, const Hash128& requestHash, const EntryKey& key) override;
  StoreResult<void> remove(std::string_view domain, const EntryKey& key) override;
  StoreResult<std::optional<Request>> request(std::string_view domain, const Hash128& requestHash) override;
  StoreResult<std::vector<Request>> requestsWithSource(std::string_view domain, const Hash128& sourceHash,
                                                       std::size_t limit) override;
  StoreResult<std::vector<EntrySummary>> list(std::string_view domain, std::optional<EntryKey> after,
                                              std::size_t limit) override;
  StoreResult<StoreStatistics> statistics() override;

 private:
  template <typename Verify>
  auto read(Column column, const std::string& row, const Verify& verify) const
      -> StoreResult<Found<typename decltype(verify(std::string_view()))::value_type>>;
  template <typename Read, typename Erase>
  auto readOrDrop(const Read& read, const Erase& erase) -> StoreResult<decltype(read()->value)>;

  StoreResult<std::vector<StoredManifest>> storedManifests(std::string_view domain,
                                                           const Hash128& requestHash);
  StoreResult<void> writeEntry(const Entry& entry, const Request& request, std::string_view encoded,
                               std::string_view encodedRequest);
  StoreResult<std::size_t> countManifests(std::string_view domain, const Hash128& requestHash) const;
  StoreResult<void> forgetLeastUsed(std::string_view domain, const Hash128& requestHash);
  StoreResult<Found<StoredSummary>> readSummary(std::string_view domain, const EntryKey& key) const;
  StoreResult<Found<Request>> readRequest(std::string_view domain, const Hash128& hash) const;
  StoreResult<std::optional<Hash128>> requestHashOf(std::string_view domain, const EntryKey& key) const;
  StoreResult<bool> hasOtherEntries(std::string_view domain, const Hash128& hash, const EntryKey& key) const;
  StoreResult<void> eraseEntry(std::string_view domain, const EntryKey& key);
  StoreResult<void> eraseRequest(std::string_view domain, const Hash128& hash);

  std::unique_ptr<Database> database_;
  // Puts share it; what erases because of what it read holds it alone.
  std::shared_mutex erasing_;
  std::atomic<std::uint64_t> corrupt_ = 0;
};

template <typename Verify>
auto RocksDbStore::read(Column column, const std::string& row, const Verify& verify) const
    -> StoreResult<Found<typename decltype(verify(std::string_view()))::value_type>> {
  Found<typename decltype(verify(std::string_view()))::value_type> found;
  auto stored = database_->get(column, row);
  if (!stored) return std::unexpected(std::move(stored.error()));
  if (stored->value) found.value = verify(*stored->value);
  found.bad = stored->damaged || (stored->value && !found.value);
  return found;
}

// What `read` finds; a bad row is dropped by `erase`, counted, and absent.
template <typename Read, typename Erase>
auto RocksDbStore::readOrDrop(const Read& read, const Erase& erase) -> StoreResult<decltype(read()->value)> {
  auto found = read();
  if (found && found->bad) {
    std::unique_lock lock(erasing_);
    found = read();  // a put may have replaced it meanwhile
    if (found && found->bad) {
      ++corrupt_;
      // Where the disk takes no erasure the row is found bad again the next time.
      (void)erase();
    }
  }
  if (!found) return std::unexpected(std::move(found.error()));
  return std::move(found->value);
}

StoreResult<std::vector<Manifest>> RocksDbStore::manifests(std::string_view domain,
                                                           const Hash128& requestHash) {
  auto stored = storedManifests(domain, requestHash);
  if (!stored) return std::unexpected(std::move(stored.error()));
  std::vector<Manifest> manifests;
  manifests.reserve(stored->size());
  for (auto& item : *stored) manifests.push_back(std::move(item.manifest));
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
    auto again = readOrDrop(
        [&] {
          return read(Column::manifests, rowKey(domain, requestHash, key),
                      [&](std::string_view value) { return verifiedManifest(value, key); });
        },
        [&] { return eraseEntry(domain, key); });
    if (!again) return std::unexpected(std::move(again.error()));
    if (*again) stored.push_back(std::move(**again));
  }
  // Equal orders are those of puts that ran at once: any order is right, the same each time is better.
  std::stable_sort(stored.begin(), stored.end(),
                   [](const StoredManifest& a, const StoredManifest& b) { return a.order > b.order; });
  return stored;
}

StoreResult<std::optional<Entry>> RocksDbStore::find(std::string_view domain, const EntryKey& key) {
  return readOrDrop(
      [&] {
        return read(Column::entries, rowKey(domain, key),
                    [&](std::string_view value) { return verifiedEntry(value, domain, key); });
      },
      [&] { return eraseEntry(domain, key); });
}

StoreResult<void> RocksDbStore::put(const Entry& entry, const Request& request) {
  if (auto problem = whyNotStorable(entry, request); !problem.empty()) {
    return std::unexpected(StoreError{std::move(problem)});
  }
  auto encoded = encodeEntry(entry);
  auto encodedRequest = encodeRequest(request);
  // What could not be read back is refused now, not counted as damage later.
  auto readBack = parseEntry(asBytes(encoded));
  auto requestReadBack = parseRequest(asBytes(encodedRequest));
  if (!readBack || !requestReadBack) {
    return std::unexpected(
        StoreError{"the entry " + entry.key.hex() + " of '" + entry.names.source +
                   "' was not stored, since it could not be " +
                   "read back: " + (readBack ? requestReadBack.error().message : readBack.error().message)});
  }

  const auto& domain = entry.domain;
  const auto& hash = entry.requestHash;
  if (auto written = writeEntry(entry, request, encoded, encodedRequest); !written) return written;
  return forgetLeastUsed(domain, hash);
}

StoreResult<void> RocksDbStore::writeEntry(const Entry& entry, const Request& request,
                                           std::string_view encoded, std::string_view encodedRequest) {
  const auto& domain = entry.domain;
  const auto& hash = entry.requestHash;
  std::shared_lock lock(erasing_);
  StoredManifest manifest{manifestOf(entry), database_->sequence()};
  Database::Batch batch(*database_);
  batch.put(Column::entries, rowKey(domain, entry.key), encoded);
  batch.put(Column::summaries, rowKey(domain, entry.key),
            encodeSummary({summaryOf(entry, request.target), hash}));
  batch.put(Column::manifests, rowKey(domain, hash, entry.key), encodeManifest(manifest));
  batch.put(Column::requests, rowKey(domain, hash), encodedRequest);
  batch.put(Column::sources, rowKey(domain, xxh3(request.source), hash), {});
  return database_->write(batch, Database::Durability::synced);
}

// The entry that was just stored is the most recently used, so it stays.
StoreResult<void> RocksDbStore::forgetLeastUsed(std::string_view domain, const Hash128& requestHash) {
  auto count = countManifests(domain, requestHash);
  if (!count) return std::unexpected(std::move(count.error()));
  if (*count <= kMaxEntriesPerRequest) return {};
  auto stored = storedManifests(domain, requestHash);
  if (!stored) return std::unexpected(std::move(stored.error()));
  std::unique_lock lock(erasing_);
  for (std::size_t i = kMaxEntriesPerRequest; i < stored->size(); ++i) {
    if (auto erased = eraseEntry(domain, (*stored)[i].manifest.key); !erased) return erased;
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
  auto found = read(Column::manifests, rowKey(domain, requestHash, key),
                    [&](std::string_view value) { return verifiedManifest(value, key); });
  if (!found) return std::unexpected(std::move(found.error()));
  if (!found->value) return {};
  found->value->order = database_->sequence();
  Database::Batch batch(*database_);
  batch.put(Column::manifests, rowKey(domain, requestHash, key), encodeManifest(*found->value));
  return database_->write(batch, Database::Durability::unsynced);
}

StoreResult<void> RocksDbStore::remove(std::string_view domain, const EntryKey& key) {
  std::unique_lock lock(erasing_);
  return eraseEntry(domain, key);
}

StoreResult<std::optional<Request>> RocksDbStore::request(std::string_view domain,
                                                          const Hash128& requestHash) {
  return readOrDrop([&] { return readRequest(domain, requestHash); },
                    [&] { return eraseRequest(domain, requestHash); });
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
    (void)readOrDrop([&] { return readSummary(domain, key); }, [&] { return eraseEntry(domain, key); });
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

StoreResult<Found<StoredSummary>> RocksDbStore::readSummary(std::string_view domain,
                                                            const EntryKey& key) const {
  return read(Column::summaries, rowKey(domain, key),
              [&](std::string_view value) { return verifiedSummary(value, domain, key); });
}

StoreResult<Found<Request>> RocksDbStore::readRequest(std::string_view domain, const Hash128& hash) const {
  return read(Column::requests, rowKey(domain, hash),
              [&](std::string_view value) { return verifiedRequest(value, hash); });
}

// The request an entry is of, by its summary; where that is bad, by a search through the domain's manifests.
StoreResult<std::optional<Hash128>> RocksDbStore::requestHashOf(std::string_view domain,
                                                                const EntryKey& key) const {
  auto summary = readSummary(domain, key);
  if (!summary) return std::unexpected(std::move(summary.error()));
  if (summary->value) return summary->value->requestHash;
  std::optional<Hash128> hash;
  auto prefix = rowKey(domain);
  auto scanned =
      database_->scan(Column::manifests, prefix, prefix, [&](std::string_view row, std::string_view) {
        if (lastHash(row) == key) hash = lastHash(row.substr(0, row.size() - EntryKey::kSize));
        return !hash;
      });
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  return hash;
}

StoreResult<bool> RocksDbStore::hasOtherEntries(std::string_view domain, const Hash128& hash,
                                                const EntryKey& key) const {
  bool others = false;
  auto prefix = rowKey(domain, hash);
  auto scanned =
      database_->scan(Column::manifests, prefix, prefix, [&](std::string_view row, std::string_view) {
        others = lastHash(row) != key;
        return !others;
      });
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  return others;
}

// Everything there is of an entry, and its request with the last entry of it. The caller holds erasing_
// alone.
StoreResult<void> RocksDbStore::eraseEntry(std::string_view domain, const EntryKey& key) {
  auto hash = requestHashOf(domain, key);
  if (!hash) return std::unexpected(std::move(hash.error()));
  Database::Batch batch(*database_);
  batch.erase(Column::entries, rowKey(domain, key));
  batch.erase(Column::summaries, rowKey(domain, key));
  if (*hash) batch.erase(Column::manifests, rowKey(domain, **hash, key));
  auto erased = database_->write(batch, Database::Durability::unsynced);
  if (!erased || !*hash) return erased;
  auto others = hasOtherEntries(domain, **hash, key);
  if (!others) return std::unexpected(std::move(others.error()));
  return *others ? StoreResult<void>{} : eraseRequest(domain, **hash);
}

StoreResult<void> RocksDbStore::eraseRequest(std::string_view domain, const Hash128& hash) {
  auto found = readRequest(domain, hash);
  if (!found) return std::unexpected(std::move(found.error()));
  Database::Batch batch(*database_);
  batch.erase(Column::requests, rowKey(domain, hash));
  if (found->value) batch.erase(Column::sources, rowKey(domain, xxh3(found->value->source), hash));
  return database_->write(batch, Database::Durability::unsynced);
}

}  // namespace

StoreResult<std::unique_ptr<Store>> openRocksDbStore(const std::filesystem::path& directory,
                                                     rocksdb::Env* env) {
  if (auto prepared = prepareStoreDirectory(directory); !prepared) {
    return std::unexpected(std::move(prepared.error()));
  }
  auto database = Database::open(directory, env);
  if (!database) return std::unexpected(std::move(database.error()));
  return std::make_unique<RocksDbStore>(std::move(*database));
}

StoreResult<std::unique_ptr<Store>> openRocksDbStore(const std::filesystem::path& directory) {
  return openRocksDbStore(directory, nullptr);
}

}  // namespace kiln
