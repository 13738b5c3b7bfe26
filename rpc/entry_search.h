// Finding one entry by the first bytes of its key.
#pragma once

#include <optional>
#include <string_view>

#include "jit/store.h"

namespace kiln {

struct FoundEntry {
  EntrySummary summary;
  Entry entry;
  Request request;  // without its source
  Sha256 sourceSha256;
};

// Nothing if no entry of the domain, or more than one, has a key that begins with `prefix`. Blocks on the
// disk.
StoreResult<std::optional<FoundEntry>> findByPrefix(Store& store, std::string_view domain, Bytes prefix);

}  // namespace kiln
