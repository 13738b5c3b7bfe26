// Contents by their SHA-256, each once: a folder with a file for each, called by the digest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "bundle/result.h"
#include "jit/hash.h"

namespace kiln::bundle {

// No content of a lock is larger: more is not read into memory.
inline constexpr std::uint64_t kMaxContentSize = std::uint64_t{1} << 30;

// Thread-safe; blocks on the disk.
class BlobFolder {
 public:
  explicit BlobFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  // The one of a lock: "app.lock.files" beside "app.lock".
  static BlobFolder beside(const std::filesystem::path& lock) { return BlobFolder(lock.string() + ".files"); }

  // Fails as add() would, as far as that can be known now.
  [[nodiscard]] BundleResult<void> checkWritable() const;
  // Makes the folder where it is not there, and replaces what has the digest's name and not its content.
  BundleResult<void> add(const Sha256& digest, std::string_view content) const;
  // Checked against the digest.
  [[nodiscard]] BundleResult<std::string> read(const Sha256& digest) const;

  // Removes all contents but these, and what was left unfinished.
  void keepOnly(const std::set<Sha256>& digests) const;

 private:
  std::filesystem::path folder_;
};

// Writes a file whole or not at all: under another name first.
BundleResult<void> writeFile(const std::filesystem::path& file, std::string_view content);
// Fails as writeFile() would, as far as that can be known now.
BundleResult<void> checkWritable(const std::filesystem::path& file);

}  // namespace kiln::bundle
