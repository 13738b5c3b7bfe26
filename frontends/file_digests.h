// Digests of large files that seldom change: each is read once for as long as its stamp holds.
#pragma once

#include <expected>
#include <filesystem>
#include <map>
#include <string>

#include "jit/file_stamp.h"
#include "jit/hash.h"

namespace kiln {

struct StampedDigest {
  FileStamp stamp;  // from before the file was read, and still its own afterwards
  Sha256 digest;
};

struct UnreadFile {
  FileStamp stamp;      // while it holds, there is no point in trying again
  std::string problem;  // the end of a sentence about the file: it cannot be read, or somebody is writing it
};

// Not thread-safe.
class FileDigests {
 public:
  // Reads the file unless it is known, and waits for a moment if it has just changed: blocking.
  std::expected<StampedDigest, UnreadFile> of(const std::filesystem::path& path);

  // How many times any file was read.
  [[nodiscard]] unsigned reads() const { return reads_; }

 private:
  std::map<std::filesystem::path, StampedDigest> known_;
  unsigned reads_ = 0;
};

}  // namespace kiln
