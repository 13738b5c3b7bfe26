// What kilnd is told of files for one request.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "jit/content_stamp.h"
#include "jit/dependencies.h"
#include "jit/files.h"

namespace kiln::client {

// Thread-safe; every answer may block on a disk.
class FileView {
 public:
  virtual ~FileView() = default;

  [[nodiscard]] virtual FileAnswer look(const std::string& path) const = 0;
  [[nodiscard]] virtual FileAnswer list(const std::string& path) const = 0;
  [[nodiscard]] virtual FileAnswer readLink(const std::string& path) const = 0;
  [[nodiscard]] virtual FileAnswer resolve(const std::string& path) const = 0;

  struct Digests {
    // One for each question, in order; nothing where it cannot be answered, or not to this request.
    std::vector<std::optional<FileState>> states;
    std::vector<KnownContent> read;  // of the files that had to be read, those that were settled
  };
  // Quicker where they are sorted by path.
  [[nodiscard]] virtual Digests digests(std::span<const DigestQuestion> questions) const = 0;
};

}  // namespace kiln::client
