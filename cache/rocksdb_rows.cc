#include "cache/rocksdb_rows.h"

#include <utility>

#include "cache/bundle_format.h"
#include "cache/entry_format.h"
#include "cache/request_format.h"
#include "jit/request_hash.h"

namespace kiln {
namespace {

std::optional<Entry> verifiedEntry(std::string_view value, std::string_view domain, const EntryKey& key) {
  auto entry = parseEntry(asBytes(value));
  if (!entry || entry->key != key || entry->domain != domain) return std::nullopt;
  return std::move(*entry);
}

std::optional<Request> verifiedRequest(std::string_view value, const Hash128& hash) {
  auto request = parseRequest(asBytes(value));
  if (!request || requestHash(*request) != hash) return std::nullopt;
  return std::move(*request);
}

template <typename Verify>
using FoundBy = StoreResult<Found<typename std::invoke_result_t<Verify, std::string_view>::value_type>>;

template <typename Verify>
FoundBy<Verify> read(const Database& database, Column column, const std::string& row, const Verify& verify,
                     const Database::Snapshot* snapshot = nullptr) {
  auto stored = database.get(column, row, snapshot);
  if (!stored) return std::unexpected(std::move(stored.error()));
  typename FoundBy<Verify>::value_type found;
  if (stored->value) found.value = verify(*stored->value);
  found.bad = stored->damaged || (stored->value && !found.value);
  return found;
}

StoreResult<std::vector<Hash128>> lastHashes(const Database& database, Column column,
                                             const std::string& prefix, const Database::Snapshot* snapshot) {
  std::vector<Hash128> hashes;
  auto scanned = database.scan(
      column, prefix, prefix,
      [&](std::string_view row, std::string_view) {
        hashes.push_back(lastHash(row));
        return true;
      },
      snapshot);
  if (!scanned) return std::unexpected(std::move(scanned.error()));
  return hashes;
}

// One read for what was put. The pins and the row they lead to are read at one moment, or a bundle that is
// replaced in between would look as if it had nothing.
template <typename Pins, typename Verify>
FoundBy<Verify> readPutOrBundled(const Database& database, Column column, std::string_view domain,
                                 const Hash128& keyOrHash, const Pins& pins, const Verify& verify) {
  auto found = read(database, column, rowKey(domain, keyOrHash), verify);
  if (!found || found->value || found->bad) return found;
  Database::Snapshot snapshot(database);
  auto intakes = pins(database, domain, keyOrHash, &snapshot);
  if (!intakes) return std::unexpected(std::move(intakes.error()));
  for (const auto& intake : *intakes) {
    found = read(database, Column::bundled, rowKey(domain, intake, keyOrHash), verify, &snapshot);
    if (!found || found->value || found->bad) return found;
  }
  return found;
}

}  // namespace

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

std::optional<BundleRecord> verifiedBundle(std::string_view value, std::string_view row) {
  auto bundle = parseBundle(asBytes(value));
  if (!bundle || rowKey(bundle->domain, bundle->digest, lastHash(row)) != row) return std::nullopt;
  return std::move(*bundle);
}

StoreResult<Found<Entry>> readEntry(const Database& database, std::string_view domain, const EntryKey& key) {
  return readPutOrBundled(database, Column::entries, domain, key, pinsOf,
                          [&](std::string_view value) { return verifiedEntry(value, domain, key); });
}

StoreResult<Found<Request>> readRequest(const Database& database, std::string_view domain,
                                        const Hash128& hash) {
  return readPutOrBundled(database, Column::requests, domain, hash, pinsOfRequest,
                          [&](std::string_view value) { return verifiedRequest(value, hash); });
}

StoreResult<Found<StoredSummary>> readSummary(const Database& database, std::string_view domain,
                                              const EntryKey& key) {
  return read(database, Column::summaries, rowKey(domain, key),
              [&](std::string_view value) { return verifiedSummary(value, domain, key); });
}

StoreResult<Found<StoredManifest>> readManifest(const Database& database, std::string_view domain,
                                                const Hash128& requestHash, const EntryKey& key) {
  return read(database, Column::manifests, rowKey(domain, requestHash, key),
              [&](std::string_view value) { return verifiedManifest(value, key); });
}

StoreResult<Found<BundleRecord>> readBundle(const Database& database, const std::string& row) {
  return read(database, Column::bundles, row,
              [&](std::string_view value) { return verifiedBundle(value, row); });
}

StoreResult<std::vector<Hash128>> pinsOf(const Database& database, std::string_view domain,
                                         const EntryKey& key, const Database::Snapshot* snapshot) {
  return lastHashes(database, Column::pins, rowKey(domain, key), snapshot);
}

StoreResult<std::vector<Hash128>> pinsOfRequest(const Database& database, std::string_view domain,
                                                const Hash128& requestHash,
                                                const Database::Snapshot* snapshot) {
  auto keys = lastHashes(database, Column::manifests, rowKey(domain, requestHash), snapshot);
  if (!keys) return keys;
  std::vector<Hash128> intakes;
  for (const auto& key : *keys) {
    auto pins = pinsOf(database, domain, key, snapshot);
    if (!pins) return pins;
    intakes.insert(intakes.end(), pins->begin(), pins->end());
  }
  return intakes;
}

StoreResult<bool> isPinned(const Database& database, std::string_view domain, const EntryKey& key) {
  auto intakes = pinsOf(database, domain, key);
  if (!intakes) return std::unexpected(std::move(intakes.error()));
  return !intakes->empty();
}

StoreResult<EncodedEntry> encodeToStore(const Entry& entry, const Request& request) {
  EncodedEntry encoded{encodeEntry(entry), encodeRequest(request)};
  auto readBack = parseEntry(asBytes(encoded.entry));
  auto requestReadBack = parseRequest(asBytes(encoded.request));
  if (readBack && requestReadBack) return encoded;
  return std::unexpected(StoreError{"the entry " + entry.key.hex() + " of '" + entry.names.source +
                                    "' was not stored, since it could not be " + "read back: " +
                                    (readBack ? requestReadBack.error().message : readBack.error().message)});
}

}  // namespace kiln
