// What a file system says of a file without its being read.
#pragma once

#include <cstdint>

#include "jit/hash.h"

namespace kiln {

// What must be equal for a file's content to be taken as unchanged. Means the same to all processes that see
// the same file system.
struct ContentStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970
  std::int64_t changed = 0;  // likewise; moves with every write, whatever the file's owner sets `modified` to

  bool operator==(const ContentStamp&) const = default;
};

// The digest of a file's content, read while its stamp was such that any later write gives it another one.
struct KnownContent {
  ContentStamp stamp;
  Hash128 xxh3;

  bool operator==(const KnownContent&) const = default;
};

}  // namespace kiln
