#include "jit/memory_store.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "jit/request_hash.h"

namespace kiln {
namespace {

class MemoryStore final : public Store {
 public:
  StoreResult<std::vector<Manifest>> manifests(std::string_view domain, const Hash128& requestHash) override {
    std::lock_guard lock(mutex_);
    std::vector<Manifest> manifests;
    for (const auto* stored : entriesOf(domain, requestHash)) manifests.push_back(manifestOf(stored->entry));
    return manifests;
  }

  StoreResult<std::optional<Entry>> find(std::string_view domain, const EntryKey& key) override {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(Id(domain, key));
    if (found == entries_.end()) return std::nullopt;
    return found->second.entry;
  }

  StoreResult<void> put(const Entry& entry, const Request& request) override {
    if (auto problem = whyNotStorable(entry, request); !problem.empty()) {
      return std::unexpected(StoreError{std::move(problem)});
    }
    std::lock_guard lock(mutex_);
    entries_.insert_or_assign(Id(entry.domain, entry.key), Stored{entry, request.target, ++lastOrder_});
    requests_.insert_or_assign(Id(entry.domain, entry.requestHash), request);
    auto all = entriesOf(entry.domain, entry.requestHash);
    for (std::size_t i = kMaxEntriesPerRequest; i < all.size(); ++i) {
      entries_.erase(Id(entry.domain, EntryKey(all[i]->entry.key)));
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

  StoreResult<void> remove(std::string_view domain, const EntryKey& key) override {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(Id(domain, key));
    if (found == entries_.end()) return {};
    auto hash = found->second.entry.requestHash;
    entries_.erase(found);
    bool requestIsUsed = std::any_of(entries_.begin(), entries_.end(), [&](const auto& item) {
      return item.first.first == domain && item.second.entry.requestHash == hash;
    });
    if (!requestIsUsed) requests_.erase(Id(domain, hash));
    return {};
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

 private:
  using Id = std::pair<std::string, Hash128>;  // domain, and entry key or request hash

  struct Stored {
    Entry entry;
    Target target;
    std::uint64_t order = 0;
  };

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
  std::uint64_t lastOrder_ = 0;
};

}  // namespace

std::unique_ptr<Store> makeMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace kiln
