// Descriptors that stand for files and directories the compiler was given an answer for.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace kiln {

// What the compiler is told of one path.
struct FileView {
  enum class Kind { absent, file, directory, other, real };
  Kind kind = Kind::absent;
  mode_t mode = 0;                // type and permissions
  std::uint64_t number = 0;       // as inode: equal for one file, different for two
  std::string_view content = {};  // of files
  std::string path = {};          // absolute, as asked for
};

// close() and dup() are the real ones, so a descriptor is known by what it refers to, never by its number
// alone. Not thread-safe.
class AnsweredDescriptors {
 public:
  // A new descriptor with the content of `view`, at its start; negative errno on failure.
  int openFile(const FileView& view);
  // A new descriptor that says of itself to be a directory; negative errno on failure.
  int openDirectory(const FileView& view);
  // What `descriptor` stands for; null if it is none of these.
  [[nodiscard]] const FileView* find(int descriptor) const;

 private:
  using FileKey = std::pair<dev_t, ino_t>;
  static FileKey keyOf(const struct stat& status) { return {status.st_dev, status.st_ino}; }

  std::map<FileKey, FileView> files_;
  std::unordered_map<int, FileView> directories_;
  FileKey root_{};  // what every descriptor in directories_ refers to
};

}  // namespace kiln
