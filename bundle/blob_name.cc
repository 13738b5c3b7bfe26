#include "bundle/blob_name.h"

#include <algorithm>

namespace kiln::bundle {

std::optional<Sha256> digestFromHex(std::string_view text) {
  if (std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'F'; })) return std::nullopt;
  return Sha256::fromHex(text);
}

std::string blobName(const Sha256& digest) { return "the blob sha256:" + digest.hex(); }

std::unexpected<Problem> otherSize(const Sha256& digest, std::uint64_t actual, std::uint64_t expected) {
  return damaged(blobName(digest) + " has " + std::to_string(actual) + " bytes, not " +
                 std::to_string(expected));
}

}  // namespace kiln::bundle
