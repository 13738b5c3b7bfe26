// The client's answers about its own files, each by a few blocking system calls.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/digest_cache.h"
#include "client/file_policy.h"
#include "client/file_view.h"
#include "client/last_directory.h"
#include "jit/dependencies.h"
#include "jit/files.h"

namespace kiln::client {

// Files of more bytes than this are not read: no header is that large.
inline constexpr std::uint64_t kLargestFile = 256ULL << 20;

// Thread-safe. Opens nothing but regular files and directories, so no call waits for a FIFO's or a device's
// other side.
class FileReader final : public FileView {
 public:
  // `cache` is shared with other requests.
  FileReader(FilePolicy policy, std::shared_ptr<DigestCache> cache);

  [[nodiscard]] FileAnswer look(const std::string& path) const override;
  [[nodiscard]] FileAnswer list(const std::string& path) const override;
  [[nodiscard]] FileAnswer readLink(const std::string& path) const override;
  [[nodiscard]] FileAnswer resolve(const std::string& path) const override;
  // Nothing if the question cannot be answered, or not to this request.
  [[nodiscard]] std::optional<FileState> digest(const DigestQuestion& question) const {
    return digests({&question, 1}).states.front();
  }
  [[nodiscard]] Digests digests(std::span<const DigestQuestion> questions) const override;

 private:
  // What one digest leaves for the next.
  struct Scratch {
    LastDirectory near;
    std::string content;
    std::vector<KnownContent> read;
  };

  [[nodiscard]] std::optional<FileState> digest(const DigestQuestion& question, Scratch& scratch) const;
  [[nodiscard]] std::optional<FileState> state(const std::string& path, bool withDigest,
                                               Scratch& scratch) const;
  [[nodiscard]] std::optional<FileState> fileState(LastDirectory::Place place, const struct stat& status,
                                                   Scratch& scratch) const;

  FilePolicy policy_;
  std::shared_ptr<DigestCache> cache_;
};

}  // namespace kiln::client
