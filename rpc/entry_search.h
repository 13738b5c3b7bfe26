// Finding one entry by the first bytes of its key.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "jit/store.h"

namespace kiln {

struct FoundEntry {
  EntrySummary summary;
  Entry entry;
  Request request;  // without its source and further inputs
  Sha256 sourceSha256;
  std::vector<Sha256> inputSha256;
};

// Nothing if no entry of the domain, or more than one, has a key that begins with `prefix`. Blocks on the
// disk.
StoreResult<std::optional<FoundEntry>> findByPrefix(Store& store, std::string_view domain, Bytes prefix);

}  // namespace kiln
