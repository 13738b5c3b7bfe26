#include "jit/service/pinned_search.h"

#include <optional>
#include <set>
#include <utility>

#include "jit/request_hash.h"

namespace kiln {
namespace {

// How many entries are looked through for one of the same name, and in which portions they are read.
constexpr std::size_t kMostSearched = 50'000;
constexpr std::size_t kPage = 1'000;
// How many requests of the same source, pinned or not.
constexpr std::size_t kMostOfSource = 4'096;

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
  auto requests = store.requestsWithSource(domain, xxh3(wanted.source), kMostOfSource);
  if (!requests) return std::unexpected(std::move(requests.error()));
  std::vector<PinnedRequest> found;
  for (auto& request : *requests) {
    if (found.size() == limit) break;
    const auto hash = requestHash(request);
    if (auto added = addIfPinned(store, domain, hash, std::move(request), found); !added)
      return std::unexpected(std::move(added.error()));
  }
  return found;
}

// Calls `use` with each entry of that name until it says that this is enough.
template <typename Use>
StoreResult<void> forEachNamed(Store& store, std::string_view domain, const std::string& name,
                               const Use& use) {
  std::optional<EntryKey> after;
  for (std::size_t searched = 0; searched < kMostSearched; searched += kPage) {
    auto page = store.list(domain, after, kPage);
    if (!page) return std::unexpected(std::move(page.error()));
    for (const auto& entry : *page) {
      if (entry.sourceName != name) continue;
      auto wantsMore = use(entry.key);
      if (!wantsMore) return std::unexpected(std::move(wantsMore.error()));
      if (!*wantsMore) return {};
    }
    if (page->size() < kPage) break;
    after = page->back().key;
  }
  return {};
}

StoreResult<std::vector<PinnedRequest>> withName(Store& store, std::string_view domain,
                                                 const std::string& name, std::size_t limit) {
  std::vector<PinnedRequest> found;
  std::set<Hash128> seen;
  const auto add = [&](const EntryKey& key) -> StoreResult<bool> {
    auto entry = store.find(domain, key, Which::pinned);
    if (!entry) return std::unexpected(std::move(entry.error()));
    if (!*entry || !seen.insert((*entry)->requestHash).second) return true;
    auto request = store.request(domain, (*entry)->requestHash);
    if (!request) return std::unexpected(std::move(request.error()));
    if (*request) found.push_back({std::move(**request), key});
    return found.size() < limit;
  };
  if (auto searched = forEachNamed(store, domain, name, add); !searched)
    return std::unexpected(std::move(searched.error()));
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
