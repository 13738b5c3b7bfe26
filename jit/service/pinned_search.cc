#include "jit/service/pinned_search.h"

#include <algorithm>
#include <set>
#include <utility>

#include "jit/request_hash.h"

namespace kiln {
namespace {

// How many entries are looked through for one of the same name, and in which portions they are read.
constexpr std::size_t kMostSearched = 50'000;
constexpr std::size_t kPage = 1'000;

// Appends the request if it has a pinned entry.
StoreResult<void> addIfPinned(Store& store, std::string_view domain, const Hash128& hash, Request request,
                              std::vector<PinnedRequest>& found) {
  auto pinned = store.manifests(domain, hash, Which::pinned);
  if (!pinned) return std::unexpected(std::move(pinned.error()));
  if (!pinned->empty()) found.push_back({std::move(request), pinned->front().key});
  return {};
}

StoreResult<std::vector<PinnedRequest>> withSource(Store& store, std::string_view domain,
                                                   const Request& wanted, std::size_t limit) {
  auto requests = store.requestsWithSource(domain, xxh3(wanted.source), limit);
  if (!requests) return std::unexpected(std::move(requests.error()));
  std::vector<PinnedRequest> found;
  for (auto& request : *requests) {
    const auto hash = requestHash(request);
    if (auto added = addIfPinned(store, domain, hash, std::move(request), found); !added)
      return std::unexpected(std::move(added.error()));
  }
  return found;
}

// The keys of entries of that name.
StoreResult<std::vector<EntryKey>> keysNamed(Store& store, std::string_view domain, const std::string& name,
                                             std::size_t limit) {
  std::vector<EntryKey> keys;
  std::optional<EntryKey> after;
  for (std::size_t searched = 0; searched < kMostSearched; searched += kPage) {
    auto page = store.list(domain, after, kPage);
    if (!page) return std::unexpected(std::move(page.error()));
    for (const auto& entry : *page) {
      if (entry.sourceName == name && keys.size() < limit) keys.push_back(entry.key);
    }
    if (page->size() < kPage || keys.size() == limit) break;
    after = page->back().key;
  }
  return keys;
}

StoreResult<std::vector<PinnedRequest>> withName(Store& store, std::string_view domain,
                                                 const std::string& name, std::size_t limit) {
  auto keys = keysNamed(store, domain, name, limit);
  if (!keys) return std::unexpected(std::move(keys.error()));
  std::vector<PinnedRequest> found;
  std::set<Hash128> seen;
  for (const auto& key : *keys) {
    auto entry = store.find(domain, key);
    if (!entry) return std::unexpected(std::move(entry.error()));
    if (!*entry || !seen.insert((*entry)->requestHash).second) continue;
    auto request = store.request(domain, (*entry)->requestHash);
    if (!request) return std::unexpected(std::move(request.error()));
    if (!*request) continue;
    if (auto added = addIfPinned(store, domain, (*entry)->requestHash, std::move(**request), found); !added)
      return std::unexpected(std::move(added.error()));
  }
  return found;
}

}  // namespace

StoreResult<std::vector<PinnedRequest>> pinnedLike(Store& store, std::string_view domain,
                                                   const Request& wanted, std::size_t limit) {
  auto found = withSource(store, domain, wanted, limit);
  if (!found || !found->empty() || wanted.names.source.empty()) return found;
  return withName(store, domain, wanted.names.source, limit);
}

}  // namespace kiln
