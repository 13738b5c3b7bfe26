// Contents by their SHA-256, each once: a folder with a file for each, called by the digest.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "bundle/result.h"
#include "jit/hash.h"

namespace kiln::bundle {

// Thread-safe; blocks on the disk.
class BlobFolder {
 public:
  explicit BlobFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  // The one of a lock: "app.lock.files" beside "app.lock".
  static BlobFolder beside(const std::filesystem::path& lock) { return BlobFolder(lock.string() + ".files"); }

  // Makes the folder where it is not there.
  BundleResult<void> add(const Sha256& digest, std::string_view content) const;
  // Checked against the digest.
  [[nodiscard]] BundleResult<std::string> read(const Sha256& digest) const;

  // Removes all contents but these.
  void keepOnly(const std::set<Sha256>& digests) const;

 private:
  std::filesystem::path folder_;
};

// Writes a file whole or not at all: under another name first.
BundleResult<void> writeFile(const std::filesystem::path& file, std::string_view content);

}  // namespace kiln::bundle
