#include "jit/service/recent_hits.h"

#include <algorithm>
#include <utility>

#include "jit/names_binding.h"
#include "jit/stand_in_source.h"

namespace kiln {
namespace {

// What an entry and its expectation take in memory.
std::size_t sizeOf(const RecentHit& hit) {
  std::size_t size = sizeof(Entry);
  for (const auto& dependency : hit.entry->dependencies)
    size += sizeof dependency + dependency.path.path.size();
  for (const auto& question : hit.expectation.list->questions) {
    size += sizeof question + question.path.size() + sizeof(KnownContent);
  }
  if (const auto* artifact = std::get_if<Artifact>(&hit.entry->result)) {
    size += artifact->log.size();
    for (const auto& output : artifact->outputs) size += output.bytes.size();
  } else {
    size += std::get<Failure>(hit.entry->result).log.size();
  }
  return size;
}

// The asker's names, and what they are compiled as: names that bind are compared as the latter.
Hash128 digestOf(const Names& names, const Hash128& requestHash) {
  FieldHasher hasher;
  hasher.field(1, namesDigest(names).view());
  hasher.field(2, compiledNames(names, requestHash).source);
  return hasher.finish();
}

}  // namespace

std::shared_ptr<RecentHit> RecentHits::find(const std::string& domain, const Hash128& requestHash,
                                            const Names& names, const ToolchainList& toolchains) {
  auto found = index_.find({domain, requestHash, digestOf(names, requestHash)});
  if (found == index_.end()) return nullptr;
  const auto& hit = found->second->hit;
  bool isWanted = std::any_of(toolchains.begin(), toolchains.end(), [&](const auto& one) {
    return one->identity == hit->entry->toolchainIdentity;
  });
  if (!isWanted) return nullptr;
  items_.splice(items_.begin(), items_, found->second);
  return hit;
}

void RecentHits::keep(std::shared_ptr<const Entry> entry, const Names& names) {
  auto expectation = expectationOf(entry->dependencies, names);
  if (!expectation) return;
  Key key{entry->domain, entry->requestHash, digestOf(names, entry->requestHash)};
  if (auto known = index_.find(key); known != index_.end()) drop(known);
  auto hit = std::make_shared<RecentHit>(std::move(entry), std::move(*expectation));
  auto size = sizeOf(*hit);
  if (size > capacity_) return;
  items_.push_front({key, std::move(hit), size});
  index_.emplace(std::move(key), items_.begin());
  size_ += size;
  while (size_ > capacity_) drop(index_.find(items_.back().key));
}

bool RecentHits::becomesMostRecent(const Entry& entry) {
  bool was = false;
  for (auto at = index_.lower_bound({entry.domain, entry.requestHash, {}}); at != index_.end(); ++at) {
    if (at->first.domain != entry.domain || at->first.requestHash != entry.requestHash) break;
    auto& hit = *at->second->hit;
    const bool isThis = hit.entry->key == entry.key;
    was = was || (isThis && hit.isMostRecent);
    hit.isMostRecent = isThis;
  }
  return !was;
}

void RecentHits::forget(const std::string& domain, const Hash128& requestHash) {
  auto at = index_.lower_bound({domain, requestHash, {}});
  while (at != index_.end() && at->first.domain == domain && at->first.requestHash == requestHash) {
    drop(at++);
  }
}

void RecentHits::forget(const std::string& domain) {
  ++age_;
  auto at = index_.lower_bound({domain, {}, {}});
  while (at != index_.end() && at->first.domain == domain) drop(at++);
}

void RecentHits::drop(std::map<Key, Items::iterator>::iterator at) {
  size_ -= at->second->size;
  items_.erase(at->second);
  index_.erase(at);
}

}  // namespace kiln
