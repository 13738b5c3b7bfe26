// Where no pinned entry is of a request: the pinned entries of other requests that are like it.
#pragma once

#include <string_view>
#include <vector>

#include "jit/request.h"
#include "jit/store.h"

namespace kiln {

// A request that has a pinned entry.
struct PinnedRequest {
  Request request;
  EntryKey key;  // of that entry
};

// Those of the same source text, at most `limit`; without any, those whose source has the same name. Blocks
// on the disk: it is for who is refused, not for who is served.
StoreResult<std::vector<PinnedRequest>> pinnedLike(Store& store, std::string_view domain,
                                                   const Request& wanted, std::size_t limit);

}  // namespace kiln
