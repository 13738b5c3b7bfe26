// Digests of files by what the file system says of them, so that an unchanged file is read and hashed once.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "jit/content_stamp.h"
#include "jit/hash.h"
#include "jit/recency_map.h"

namespace kiln::client {

ContentStamp stampOf(const struct stat& status);

// Bounded, least recently used out first. Thread-safe; no call blocks on a file.
class DigestCache {
 public:
  // Nanoseconds since 1970, of the clock that stamps files.
  using Clock = std::function<std::int64_t()>;

  explicit DigestCache(std::size_t capacity = 65'536, Clock clock = realTime);

  std::optional<Hash128> find(const ContentStamp& stamp);
  // Whether a write from now on is sure to give the file another stamp: its times lie further back than the
  // granularity of the clock that set them. To be asked before the file is read.
  [[nodiscard]] bool isSettled(const ContentStamp& stamp) const;
  // Keeps the digest of a file that isSettled() before it was read and had the same stamp after.
  void insert(const ContentStamp& stamp, const Hash128& digest);

 private:
  struct StampHash {
    std::size_t operator()(const ContentStamp& stamp) const noexcept;
  };

  static std::int64_t realTime();

  const std::size_t capacity_;
  const Clock clock_;
  std::mutex mutex_;
  RecencyMap<ContentStamp, Hash128, StampHash> digests_;
};

}  // namespace kiln::client
