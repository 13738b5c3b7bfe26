// How blobs are named, in layouts and in messages.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bundle/problem.h"
#include "jit/hash.h"

namespace kiln::bundle {

inline constexpr std::string_view kBlobsPrefix = "blobs/sha256/";  // before the digest, in a layout

// Nothing unless `text` is 64 hexadecimal digits in lower case: others would be further names of the same
// blob.
std::optional<Sha256> digestFromHex(std::string_view text);

// In messages.
std::string blobName(const Sha256& digest);
std::unexpected<Problem> otherSize(const Sha256& digest, std::uint64_t actual, std::uint64_t expected);

}  // namespace kiln::bundle
