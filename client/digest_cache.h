// Digests of files by what the file system says of them, so that an unchanged file is read and hashed once.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "jit/hash.h"

namespace kiln::client {

// What must be equal for a file's content to be taken as unchanged.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970
  std::int64_t changed = 0;  // likewise; moves with every write, whatever the file's owner sets `modified` to

  static FileStamp of(const struct stat& status);
  bool operator==(const FileStamp&) const = default;
};

// Bounded, least recently used out first. Thread-safe; no call blocks on a file.
class DigestCache {
 public:
  // Nanoseconds since 1970, of the clock that stamps files.
  using Clock = std::function<std::int64_t()>;

  explicit DigestCache(std::size_t capacity = 65'536, Clock clock = realTime);

  std::optional<Hash128> find(const FileStamp& stamp);
  // Whether a write from now on is sure to give the file another stamp: its times lie further back than the
  // granularity of the clock that set them. To be asked before the file is read.
  [[nodiscard]] bool isSettled(const FileStamp& stamp) const;
  // Keeps the digest of a file that isSettled() before it was read and had the same stamp after.
  void insert(const FileStamp& stamp, const Hash128& digest);

 private:
  struct StampHash {
    std::size_t operator()(const FileStamp& stamp) const noexcept;
  };
  struct Item {
    FileStamp stamp;
    Hash128 digest;
  };

  static std::int64_t realTime();

  const std::size_t capacity_;
  const Clock clock_;
  std::mutex mutex_;
  std::list<Item> items_;  // the most recently used first
  std::unordered_map<FileStamp, std::list<Item>::iterator, StampHash> index_;
};

}  // namespace kiln::client
