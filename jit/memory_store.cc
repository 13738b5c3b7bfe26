#include "jit/memory_store.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

#include "jit/request_hash.h"

namespace kiln {
namespace {

class MemoryStore final : public Store {
 public:
  StoreResult<std::vector<Manifest>> manifests(std::string_view domain, const Hash128& requestHash,
                                               Which which) override {
    std::lock_guard lock(mutex_);
    std::vector<Manifest> manifests;
    for (const auto* stored : entriesOf(domain, requestHash)) {
      if (stored->is(which)) manifests.push_back(manifestOf(stored->entry));
    }
    return manifests;
  }

  StoreResult<std::optional<Entry>> find(std::string_view domain, const EntryKey& key, Which which) override {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(Id(domain, key));
    if (found == entries_.end() || !found->second.is(which)) return std::nullopt;
    return found->second.entry;
  }

  StoreResult<void> put(const Entry& entry, const Request& request) override {
    if (auto problem = whyNotStorable(entry, request); !problem.empty()) {
      return std::unexpected(StoreError{std::move(problem)});
    }
    std::lock_guard lock(mutex_);
    if (auto found = entries_.find(Id(entry.domain, entry.key));
        found != entries_.end() && found->second.isPinned()) {
      return {};
    }
    keep(entry, request);
    requests_.insert_or_assign(Id(entry.domain, entry.requestHash), request);
    auto evictable = entriesOf(entry.domain, entry.requestHash);
    std::erase_if(evictable, [](const Stored* stored) { return stored->isPinned(); });
    for (std::size_t i = kMaxEntriesPerRequest; i < evictable.size(); ++i) {
      entries_.erase(Id(entry.domain, EntryKey(evictable[i]->entry.key)));
    }
    return {};
  }

  StoreResult<void> touch(std::string_view domain, const Hash128& requestHash, const EntryKey& key) override {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(Id(domain, key));
    if (found != entries_.end() && found->second.entry.requestHash == requestHash)
      found->second.order = ++lastOrder_;
    return {};
  }

  StoreResult<bool> remove(std::string_view domain, const EntryKey& key, Which which) override {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(Id(domain, key));
    if (found == entries_.end() || !found->second.is(which)) return false;
    forget(Id(domain, key));
    return true;
  }

  StoreResult<std::optional<Request>> request(std::string_view domain, const Hash128& requestHash) override {
    std::lock_guard lock(mutex_);
    auto found = requests_.find(Id(domain, requestHash));
    if (found == requests_.end()) return std::nullopt;
    return found->second;
  }

  StoreResult<std::vector<Request>> requestsWithSource(std::string_view domain, const Hash128& sourceHash,
                                                       std::size_t limit) override {
    std::lock_guard lock(mutex_);
    std::vector<Request> found;
    for (const auto& [id, request] : requests_) {
      if (found.size() == limit) break;
      if (id.first == domain && xxh3(request.source) == sourceHash) found.push_back(request);
    }
    return found;
  }

  StoreResult<std::vector<EntrySummary>> list(std::string_view domain, std::optional<EntryKey> after,
                                              std::size_t limit) override {
    std::lock_guard lock(mutex_);
    std::vector<EntrySummary> page;
    auto at = after ? entries_.upper_bound(Id(domain, *after)) : entries_.lower_bound(Id(domain, Hash128{}));
    for (; at != entries_.end() && at->first.first == domain && page.size() < limit; ++at) {
      page.push_back(summaryOf(at->second.entry, at->second.target));
    }
    return page;
  }

  StoreResult<StoreStatistics> statistics() override {
    std::lock_guard lock(mutex_);
    StoreStatistics statistics;
    statistics.entries = entries_.size();
    for (const auto& [id, stored] : entries_) {
      statistics.bytes += sizeof stored + summaryOf(stored.entry, stored.target).bytes;
    }
    return statistics;
  }

  StoreResult<std::unique_ptr<BundleIntake>> beginBundle(BundleRecord record) override {
    if (auto problem = whyNotStorable(record); !problem.empty()) {
      return std::unexpected(StoreError{std::move(problem)});
    }
    return std::make_unique<Intake>(*this, std::move(record));
  }

  StoreResult<bool> removeBundle(std::string_view domain, const Sha256& digest) override {
    std::lock_guard lock(mutex_);
    return unpin({std::string(domain), digest});
  }

  StoreResult<bool> isWhole(std::string_view domain, const Sha256& digest) override {
    std::lock_guard lock(mutex_);
    const auto record = bundles_.find({std::string(domain), digest});
    if (record == bundles_.end()) return false;
    const auto left = std::ranges::count_if(entries_, [&](const auto& item) {
      return item.first.first == domain && item.second.pinnedBy.contains(digest);
    });
    return static_cast<std::uint64_t>(left) == record->second.entries;
  }

  StoreResult<std::vector<BundleRecord>> bundles(std::string_view domain) override {
    auto all = allBundles();
    std::erase_if(*all, [&](const BundleRecord& record) { return record.domain != domain; });
    return all;
  }

  StoreResult<std::vector<BundleRecord>> allBundles() override {
    std::lock_guard lock(mutex_);
    std::vector<BundleRecord> records;
    for (const auto& [id, record] : bundles_) records.push_back(record);
    std::ranges::sort(records, {}, [](const BundleRecord& record) {
      return std::tie(record.domain, record.name, record.digest);
    });
    return records;
  }

 private:
  using Id = std::pair<std::string, Hash128>;       // domain, and entry key or request hash
  using BundleId = std::pair<std::string, Sha256>;  // domain and digest

  struct Stored {
    Entry entry;
    Target target;
    std::uint64_t order = 0;
    std::set<Sha256> pinnedBy;

    [[nodiscard]] bool isPinned() const { return !pinnedBy.empty(); }
    [[nodiscard]] bool is(Which which) const {
      return which == Which::all || isPinned() == (which == Which::pinned);
    }
  };

  class Intake final : public BundleIntake {
   public:
    Intake(MemoryStore& store, BundleRecord record) : store_(store), record_(std::move(record)) {}

    StoreResult<void> add(const Entry& entry, const Request& request) override {
      if (auto problem = whyNotStorable(record_, entry, request); !problem.empty()) {
        return std::unexpected(StoreError{std::move(problem)});
      }
      added_.emplace_back(entry, request);
      return {};
    }
    StoreResult<void> commit() override {
      store_.bring(std::move(record_), added_);
      return {};
    }

   private:
    MemoryStore& store_;
    BundleRecord record_;
    std::vector<std::pair<Entry, Request>> added_;
  };

  // The following are called with mutex_ held, but for bring().

  Stored& keep(const Entry& entry, const Request& request) {
    auto& stored = entries_[Id(entry.domain, entry.key)];
    stored = {entry, request.target, ++lastOrder_, std::move(stored.pinnedBy)};
    return stored;
  }

  void forget(const Id& id) {
    auto found = entries_.find(id);
    if (found == entries_.end()) return;
    auto hash = found->second.entry.requestHash;
    entries_.erase(found);
    if (entriesOf(id.first, hash).empty()) requests_.erase(Id(id.first, hash));
  }

  bool unpin(const BundleId& bundle) {
    if (bundles_.erase(bundle) == 0) return false;
    std::vector<Id> forgotten;
    for (auto& [id, stored] : entries_) {
      if (id.first != bundle.first || stored.pinnedBy.erase(bundle.second) == 0) continue;
      if (!stored.isPinned()) forgotten.push_back(id);
    }
    for (const auto& id : forgotten) forget(id);
    return true;
  }

  void bring(BundleRecord record, const std::vector<std::pair<Entry, Request>>& added) {
    std::lock_guard lock(mutex_);
    unpin({record.domain, record.digest});
    std::map<EntryKey, std::uint64_t> bytes;
    for (const auto& [entry, request] : added) {
      keep(entry, request).pinnedBy.insert(record.digest);
      requests_.try_emplace(Id(entry.domain, entry.requestHash), request);
      bytes[entry.key] = summaryOf(entry, request.target).bytes;
    }
    record.entries = bytes.size();
    record.bytes = 0;
    for (const auto& [key, size] : bytes) record.bytes += size;
    bundles_.insert_or_assign({record.domain, record.digest}, std::move(record));
  }

  // The most recently used first.
  [[nodiscard]] std::vector<const Stored*> entriesOf(std::string_view domain,
                                                     const Hash128& requestHash) const {
    std::vector<const Stored*> found;
    for (const auto& [id, stored] : entries_) {
      if (id.first == domain && stored.entry.requestHash == requestHash) found.push_back(&stored);
    }
    std::sort(found.begin(), found.end(),
              [](const Stored* a, const Stored* b) { return a->order > b->order; });
    return found;
  }

  std::mutex mutex_;
  std::map<Id, Stored> entries_;
  std::map<Id, Request> requests_;
  std::map<BundleId, BundleRecord> bundles_;
  std::uint64_t lastOrder_ = 0;
};

}  // namespace

std::unique_ptr<Store> makeMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace kiln
