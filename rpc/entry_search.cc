#include "rpc/entry_search.h"

#include <algorithm>
#include <utility>

#include "jit/sha256.h"

namespace kiln {
namespace {

// The largest key below every one that begins with `prefix`; nothing if there is none.
std::optional<EntryKey> keyBefore(Bytes prefix) {
  EntryKey key;
  std::ranges::transform(prefix, key.bytes.begin(),
                         [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
  for (auto byte = key.bytes.rbegin(); byte != key.bytes.rend(); ++byte) {
    if ((*byte)-- != 0) return key;
  }
  return std::nullopt;
}

bool beginsWith(const EntryKey& key, Bytes prefix) {
  return std::ranges::equal(key.view().first(prefix.size()), prefix);
}

}  // namespace

StoreResult<std::optional<FoundEntry>> findByPrefix(Store& store, std::string_view domain, Bytes prefix) {
  if (prefix.size() > EntryKey::kSize) return std::nullopt;
  auto summaries = store.list(domain, keyBefore(prefix), 2);
  if (!summaries) return std::unexpected(std::move(summaries.error()));
  auto matching =
      std::ranges::count_if(*summaries, [&](const auto& item) { return beginsWith(item.key, prefix); });
  if (matching != 1) return std::nullopt;
  auto& summary = summaries->front();
  auto entry = store.find(domain, summary.key, Which::all);
  if (!entry) return std::unexpected(std::move(entry.error()));
  if (!*entry) return std::nullopt;
  auto request = store.request(domain, (*entry)->requestHash);
  if (!request) return std::unexpected(std::move(request.error()));
  if (!*request) return std::nullopt;
  auto digest = sha256((*request)->source);
  (*request)->source.clear();
  std::vector<Sha256> inputDigests;
  for (const auto& input : std::exchange((*request)->inputs, {})) inputDigests.push_back(sha256(input));
  return FoundEntry{std::move(summary), std::move(**entry), std::move(**request), digest,
                    std::move(inputDigests)};
}

}  // namespace kiln
