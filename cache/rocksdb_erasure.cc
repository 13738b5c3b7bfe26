#include "cache/rocksdb_erasure.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cache/rocksdb_rows.h"
#include "jit/request_hash.h"

namespace kiln {
namespace {

using Batch = Database::Batch;

// The last hash but one of a row key.
Hash128 hashBeforeLast(std::string_view row) { return lastHash(row.substr(0, row.size() - Hash128::kSize)); }

// The request an entry is of, by its summary; where that is bad, by a search through the domain's manifests.
StoreResult<std::optional<Hash128>> requestHashOf(const Database& database, std::string_view domain,
                                                  const EntryKey& key) {
  auto summary = readSummary(database, domain, key);
  if (!summary) return std::unexpected(std::move(summary.error()));
  if (summary->value) return summary->value->requestHash;
  std::optional<Hash128> hash;
  auto prefix = rowKey(domain);
  auto scanned =
      database.scan(Column::manifests, prefix, prefix, [&](std::string_view row, std::string_view) {
        if (lastHash(row) == key) hash = hashBeforeLast(row);
        return !hash;
      });
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  return hash;
}

// Whether the request has an entry that is none of `keys`.
StoreResult<bool> hasOthers(const Database& database, std::string_view domain, const Hash128& hash,
                            const std::vector<EntryKey>& keys) {
  bool others = false;
  auto prefix = rowKey(domain, hash);
  auto scanned =
      database.scan(Column::manifests, prefix, prefix, [&](std::string_view row, std::string_view) {
        others = std::ranges::find(keys, lastHash(row)) == keys.end();
        return !others;
      });
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  return others;
}

// What a bundle holds of a request that has no entries any more leads nowhere, and goes with the bundle.
void eraseRequestRow(Batch& batch, std::string_view domain, const Hash128& hash,
                     const std::optional<Hash128>& sourceHash) {
  batch.erase(Column::requests, rowKey(domain, hash));
  if (sourceHash) batch.erase(Column::sources, rowKey(domain, *sourceHash, hash));
}

// Nothing where the request cannot be read.
StoreResult<std::optional<Hash128>> sourceHashOf(const Database& database, std::string_view domain,
                                                 const Hash128& hash) {
  auto found = readRequest(database, domain, hash);
  if (!found) return std::unexpected(std::move(found.error()));
  if (!found->value) return std::nullopt;
  return xxh3(found->value->source);
}

// Entries of one request, but for their pins, and the request with the last of them.
StoreResult<void> eraseEntriesOf(const Database& database, Batch& batch, std::string_view domain,
                                 const Hash128& hash, const std::vector<EntryKey>& keys,
                                 std::optional<Hash128> sourceHash) {
  if (keys.empty()) return {};
  for (const auto& key : keys) {
    batch.erase(Column::entries, rowKey(domain, key));
    batch.erase(Column::summaries, rowKey(domain, key));
    batch.erase(Column::manifests, rowKey(domain, hash, key));
  }
  auto others = hasOthers(database, domain, hash, keys);
  if (!others) return std::unexpected(std::move(others.error()));
  if (*others) return {};
  if (!sourceHash) {
    auto read = sourceHashOf(database, domain, hash);
    if (!read) return std::unexpected(std::move(read.error()));
    sourceHash = *read;
  }
  eraseRequestRow(batch, domain, hash, sourceHash);
  return {};
}

// What a bundle brought of one request.
struct Brought {
  Hash128 requestHash;
  std::optional<Hash128> sourceHash;
  std::vector<EntryKey> keys;
};

StoreResult<std::vector<Brought>> broughtBy(const Database& database, const std::string& intakeRow) {
  std::vector<Brought> brought;
  auto scanned =
      database.scan(Column::members, intakeRow, intakeRow, [&](std::string_view row, std::string_view value) {
        auto hash = hashBeforeLast(row);
        if (brought.empty() || brought.back().requestHash != hash) {
          brought.push_back({hash, Hash128::fromBytes(asBytes(value)), {}});
        }
        brought.back().keys.push_back(lastHash(row));
        return true;
      });
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  return brought;
}

StoreResult<std::vector<std::string>> bundleRows(const Database& database, std::string_view domain,
                                                 const Sha256& digest) {
  std::vector<std::string> rows;
  auto prefix = rowKey(domain, digest);
  auto scanned = database.scan(Column::bundles, prefix, prefix, [&](std::string_view row, std::string_view) {
    rows.emplace_back(row);
    return true;
  });
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  return rows;
}

// An entry that was removed since then, and may have been put again, is no longer the bundle's.
StoreResult<void> unpin(const Database& database, Batch& batch, std::string_view domain,
                        const Hash128& intake, Brought brought) {
  std::vector<EntryKey> forgotten;
  for (const auto& key : brought.keys) {
    auto pins = pinsOf(database, domain, key);
    if (!pins) return std::unexpected(std::move(pins.error()));
    if (*pins == std::vector{intake}) forgotten.push_back(key);
    batch.erase(Column::pins, rowKey(domain, key, intake));
  }
  return eraseEntriesOf(database, batch, domain, brought.requestHash, forgotten, brought.sourceHash);
}

}  // namespace

StoreResult<void> eraseEntry(const Database& database, Batch& batch, std::string_view domain,
                             const EntryKey& key) {
  auto hash = requestHashOf(database, domain, key);
  if (!hash) return std::unexpected(std::move(hash.error()));
  auto pins = pinsOf(database, domain, key);
  if (!pins) return std::unexpected(std::move(pins.error()));
  for (const auto& intake : *pins) {
    batch.erase(Column::pins, rowKey(domain, key, intake));
    batch.erase(Column::bundled, rowKey(domain, intake, key));
  }
  if (*hash) return eraseEntriesOf(database, batch, domain, **hash, {key}, {});
  batch.erase(Column::entries, rowKey(domain, key));
  batch.erase(Column::summaries, rowKey(domain, key));
  return {};
}

StoreResult<void> eraseRequest(const Database& database, Batch& batch, std::string_view domain,
                               const Hash128& hash) {
  auto sourceHash = sourceHashOf(database, domain, hash);
  if (!sourceHash) return std::unexpected(std::move(sourceHash.error()));
  auto pins = pinsOfRequest(database, domain, hash);
  if (!pins) return std::unexpected(std::move(pins.error()));
  for (const auto& intake : *pins) batch.erase(Column::bundled, rowKey(domain, intake, hash));
  eraseRequestRow(batch, domain, hash, *sourceHash);
  return {};
}

StoreResult<bool> isBundleWhole(const Database& database, std::string_view domain, const Sha256& digest) {
  auto rows = bundleRows(database, domain, digest);
  if (!rows) return std::unexpected(std::move(rows.error()));
  for (const auto& row : *rows) {
    const auto intake = lastHash(row);
    auto brought = broughtBy(database, rowKey(domain, intake));
    if (!brought) return std::unexpected(std::move(brought.error()));
    for (const auto& request : *brought) {
      for (const auto& key : request.keys) {
        auto pins = pinsOf(database, domain, key);
        if (!pins) return std::unexpected(std::move(pins.error()));
        if (std::ranges::find(*pins, intake) == pins->end()) return false;
      }
    }
  }
  return !rows->empty();
}

StoreResult<bool> eraseBundle(const Database& database, Batch& batch, std::string_view domain,
                              const Sha256& digest) {
  auto rows = bundleRows(database, domain, digest);
  if (!rows) return std::unexpected(std::move(rows.error()));
  for (const auto& row : *rows) {
    if (auto erased = eraseBundleRow(database, batch, row); !erased) {
      return std::unexpected(std::move(erased.error()));
    }
  }
  return !rows->empty();
}

StoreResult<void> eraseBundleRow(const Database& database, Batch& batch, const std::string& row) {
  auto domain = domainOf(row);
  auto intake = lastHash(row);
  auto intakeRow = rowKey(domain, intake);
  auto brought = broughtBy(database, intakeRow);
  if (!brought) return std::unexpected(std::move(brought.error()));
  for (auto& request : *brought) {
    if (auto done = unpin(database, batch, domain, intake, std::move(request)); !done) return done;
  }
  batch.eraseAll(Column::bundled, intakeRow);
  batch.eraseAll(Column::members, intakeRow);
  batch.erase(Column::bundles, row);
  return {};
}

void eraseIntake(Batch& batch, const std::string& row) {
  batch.eraseAll(Column::bundled, row);
  batch.erase(Column::intakes, row);
}

StoreResult<void> eraseIntakes(const Database& database, Batch& batch) {
  return database.scan(Column::intakes, {}, {}, [&](std::string_view row, std::string_view) {
    eraseIntake(batch, std::string(row));
    return true;
  });
}

}  // namespace kiln
