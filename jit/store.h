// The interface of a store: entries by key, manifests by request, requests by their source, and the bundles
// that entries came with.
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
#include "jit/bundle_record.h"
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
// Each costs the next lookup a comparison, so that their number is bounded. Pinned ones do not count.
inline constexpr std::size_t kMaxEntriesPerRequest = 32;

// What every store refuses to keep: an entry whose key is not entryKey() of it, whose requestHash is not that
// of `request`, or whose domain's name is too long. The reason as a message; empty if the entry may be kept.
std::string whyNotStorable(const Entry& entry, const Request& request);
// The same for a bundle, whose domain's name may be too long, and for an entry of it, which may be of another
// domain.
std::string whyNotStorable(const BundleRecord& bundle);
std::string whyNotStorable(const BundleRecord& bundle, const Entry& entry, const Request& request);

struct StoreStatistics {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;           // on disk (or in memory), about
  std::uint64_t corruptEntries = 0;  // found bad and dropped since it was opened
};

// Which entries are meant.
enum class Which : std::uint8_t { all, pinned, unpinned };

// A bundle on its way into a store, which outlives it. Until commit() nobody finds anything of it; where that
// is not reached, the store is as if it had never begun. Calls may block on the disk. Not thread-safe, but
// several may be under way in one store, beside its other calls.
class BundleIntake {
 public:
  virtual ~BundleIntake() = default;

  // Being added is a use. A store on a disk keeps in memory what a lookup and a listing need of the entry,
  // not its outputs or its request. Refuses what Store::put() refuses, and an entry of another domain; what
  // was added before stays good.
  virtual StoreResult<void> add(const Entry& entry, const Request& request) = 0;
  // The last call. Everything is there when it returns, durably, and pinned to the bundle; if it fails,
  // nothing is. An entry of the same key is replaced, a request of the same hash stays, and a bundle of the
  // same digest gives way with all that is not in this one.
  virtual StoreResult<void> commit() = 0;
};

// Synchronous and thread-safe; calls may block on the disk. Nothing is returned that was not verified: an
// entry that fails its checksum is dropped, counted and reported as absent.
class Store {
 public:
  virtual ~Store() = default;

  // The manifests of the request in the domain, the most recently used first: being stored is a use.
  virtual StoreResult<std::vector<Manifest>> manifests(std::string_view domain, const Hash128& requestHash,
                                                       Which which) = 0;
  // Nothing unless the entry is one of those that are meant, at the moment at which it is read.
  virtual StoreResult<std::optional<Entry>> find(std::string_view domain, const EntryKey& key,
                                                 Which which) = 0;
  // Keeps the entry, its manifest and its request, all or nothing, durably when it returns. An entry of the
  // same key is replaced, and so is a request of the same hash; but a pinned one stays as its bundle brought
  // it, and nothing is written. Of more than kMaxEntriesPerRequest entries of one request that are not pinned
  // the least recently used are forgotten.
  // Fails as whyNotStorable() says, and when the disk does.
  virtual StoreResult<void> put(const Entry& entry, const Request& request) = 0;
  // Makes the entry the most recently used of its request; no entry of that key: nothing happens. A crash may
  // undo it.
  virtual StoreResult<void> touch(std::string_view domain, const Hash128& requestHash,
                                  const EntryKey& key) = 0;
  // Forgets the entry, and its request with the last entry of it; no entry of that key, or none of those that
  // are meant: nothing happens. Whether it was there. A crash right afterwards may bring it back.
  virtual StoreResult<bool> remove(std::string_view domain, const EntryKey& key, Which which) = 0;

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

  // Begins to bring a bundle into record.domain. The numbers of entries and bytes are the store's to fill in.
  virtual StoreResult<std::unique_ptr<BundleIntake>> beginBundle(BundleRecord record) = 0;
  // Unpins the bundle's entries and forgets those that no other bundle pins, durably, all or nothing. False
  // if there is no such bundle.
  virtual StoreResult<bool> removeBundle(std::string_view domain, const Sha256& digest) = 0;
  // Whether the bundle is there and has lost no entry since it was brought.
  virtual StoreResult<bool> isWhole(std::string_view domain, const Sha256& digest) = 0;
  // In order of name, then digest. A record that fails its checksum goes with all that its bundle pins.
  virtual StoreResult<std::vector<BundleRecord>> bundles(std::string_view domain) = 0;
  // Those of all domains, domain after domain.
  virtual StoreResult<std::vector<BundleRecord>> allBundles() = 0;
};

}  // namespace kiln
