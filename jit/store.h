// The interface of a store: entries by key, manifests by request, requests by their source.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/artifact.h"
#include "jit/request.h"

namespace kiln {

// Why the store could not do what it was asked: the path, what went wrong and what to do.
struct StoreError {
  std::string message;
};

template <typename T>
using StoreResult = std::expected<T, StoreError>;

// One line of a listing: what `kiln ls` shows without reading binaries.
struct EntrySummary {
  EntryKey key;
  std::string domain;
  std::string sourceName;
  Target target;
  std::string toolchainName;
  std::optional<FailureKind> failure;
  std::uint64_t bytes = 0;  // of all outputs
  double compileMilliseconds = 0;
  std::uint64_t createdAt = 0;  // seconds since 1970

  bool operator==(const EntrySummary&) const = default;
};

EntrySummary summaryOf(const Entry& entry, const Target& target);

inline constexpr std::size_t kMaxDomainLength = 255;  // bytes

// A request has an entry for each set of files that it met: branches, versions of a header, names that bind.
// Each costs the next lookup a comparison, so that their number is bounded.
inline constexpr std::size_t kMaxEntriesPerRequest = 32;

// What every store refuses to keep: an entry whose key is not entryKey() of it, whose requestHash is not that
// of `request`, or whose domain's name is too long. The reason as a message; empty if the entry may be kept.
std::string whyNotStorable(const Entry& entry, const Request& request);

struct StoreStatistics {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;           // on disk (or in memory), about
  std::uint64_t corruptEntries = 0;  // found bad and dropped since it was opened
};

// Synchronous and thread-safe; calls may block on the disk. Nothing is returned that was not verified: an
// entry that fails its checksum is dropped, counted and reported as absent.
class Store {
 public:
  virtual ~Store() = default;

  // Every manifest of the request in the domain, the most recently used first: being stored is a use.
  virtual StoreResult<std::vector<Manifest>> manifests(std::string_view domain,
                                                       const Hash128& requestHash) = 0;
  virtual StoreResult<std::optional<Entry>> find(std::string_view domain, const EntryKey& key) = 0;
  // Keeps the entry, its manifest and its request, all or nothing, durably when it returns. An entry of the
  // same key is replaced, and so is a request of the same hash. Of more than kMaxEntriesPerRequest entries of
  // one request the least recently used are forgotten. Fails as whyNotStorable() says, and when the disk
  // does.
  virtual StoreResult<void> put(const Entry& entry, const Request& request) = 0;
  // Makes the entry the most recently used of its request; no entry of that key: nothing happens. A crash may
  // undo it.
  virtual StoreResult<void> touch(std::string_view domain, const Hash128& requestHash,
                                  const EntryKey& key) = 0;
  // Forgets the entry, and its request with the last entry of it; no entry of that key: nothing happens. A
  // crash right afterwards may bring it back.
  virtual StoreResult<void> remove(std::string_view domain, const EntryKey& key) = 0;

  virtual StoreResult<std::optional<Request>> request(std::string_view domain,
                                                      const Hash128& requestHash) = 0;
  // Requests of the domain with the same source text, at most `limit`: the nearest to one that was never
  // seen.
  virtual StoreResult<std::vector<Request>> requestsWithSource(std::string_view domain,
                                                               const Hash128& sourceHash,
                                                               std::size_t limit) = 0;

  // Entries of the domain in order of key, from the first behind `after` (or from the start), at most
  // `limit`.
  virtual StoreResult<std::vector<EntrySummary>> list(std::string_view domain, std::optional<EntryKey> after,
                                                      std::size_t limit) = 0;
  virtual StoreResult<StoreStatistics> statistics() = 0;
};

}  // namespace kiln
