#include "frontends/file_digests.h"

#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include "jit/sha256.h"

namespace kiln {
namespace {

// A file that does not come to rest for 2 s is being written by somebody slow.
constexpr int kMostWaits = 20;
constexpr int kMostReads = 3;

// The stamp of a file that has settled; nothing if it does not.
std::optional<FileStamp> settledStamp(const std::filesystem::path& path) {
  for (int wait = 0; wait < kMostWaits; ++wait) {
    auto stamp = stampFile(path.string());
    if (!isYoung(stamp)) return stamp;
    std::this_thread::sleep_for(kSettled);
  }
  return std::nullopt;
}

std::optional<Sha256> digestOf(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Sha256Hasher hasher;
  std::vector<char> block(1 << 20);
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    hasher.add(asBytes({block.data(), static_cast<std::size_t>(file.gcount())}));
  }
  if (!file.eof()) return std::nullopt;
  return hasher.finish();
}

}  // namespace

std::expected<StampedDigest, UnreadFile> FileDigests::of(const std::filesystem::path& path) {
  for (int read = 0; read < kMostReads; ++read) {
    auto stamp = settledStamp(path);
    if (!stamp) break;
    if (auto known = known_.find(path); known != known_.end() && known->second.stamp == *stamp) {
      return known->second;
    }
    std::error_code error;
    if (std::filesystem::is_other(path, error)) {
      return std::unexpected(
          UnreadFile{*stamp, "is a FIFO, a socket or a device; put the library in its place, or remove it"});
    }
    ++reads_;
    auto digest = digestOf(path);
    if (!digest) return std::unexpected(UnreadFile{*stamp, "cannot be read; make it readable to kilnd"});
    if (stampFile(path.string()) != *stamp) continue;
    return known_.insert_or_assign(path, StampedDigest{*stamp, *digest}).first->second;
  }
  return std::unexpected(UnreadFile{stampUnsettled(path.string()),
                                    "is being written; ask again when its installation is complete"});
}

}  // namespace kiln
