// Rows of the RocksDB store: what their values are written as, and how they are found. A value that is read
// is verified, and known to be the one that belongs in its row.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/manifest_format.h"
#include "cache/rocksdb_database.h"
#include "cache/summary_format.h"

namespace kiln {

// A row as it was found: a verified value, nothing, or something bad.
template <typename T>
struct Found {
  std::optional<T> value;
  bool bad = false;
};

// Nothing unless the value parses and belongs in the row.
std::optional<StoredSummary> verifiedSummary(std::string_view value, std::string_view domain,
                                             const EntryKey& key);
std::optional<StoredManifest> verifiedManifest(std::string_view value, const EntryKey& key);
std::optional<BundleRecord> verifiedBundle(std::string_view value, std::string_view row);

// An entry and a request are looked for among those that were put, then in the bundles that pin the entry, or
// one of the request's.
StoreResult<Found<Entry>> readEntry(const Database& database, std::string_view domain, const EntryKey& key);
StoreResult<Found<Request>> readRequest(const Database& database, std::string_view domain,
                                        const Hash128& hash);
StoreResult<Found<StoredSummary>> readSummary(const Database& database, std::string_view domain,
                                              const EntryKey& key);
StoreResult<Found<StoredManifest>> readManifest(const Database& database, std::string_view domain,
                                                const Hash128& requestHash, const EntryKey& key);
StoreResult<Found<BundleRecord>> readBundle(const Database& database, const std::string& row);

// The intakes whose bundles pin the entry, or entries of the request.
StoreResult<std::vector<Hash128>> pinsOf(const Database& database, std::string_view domain,
                                         const EntryKey& key, const Database::Snapshot* snapshot = nullptr);
StoreResult<std::vector<Hash128>> pinsOfRequest(const Database& database, std::string_view domain,
                                                const Hash128& requestHash,
                                                const Database::Snapshot* snapshot = nullptr);
StoreResult<bool> isPinned(const Database& database, std::string_view domain, const EntryKey& key);

// An entry and its request as their rows hold them.
struct EncodedEntry {
  std::string entry;
  std::string request;
};
// Fails for what could not be read back: refused now, it is not counted as damage later.
StoreResult<EncodedEntry> encodeToStore(const Entry& entry, const Request& request);

}  // namespace kiln
