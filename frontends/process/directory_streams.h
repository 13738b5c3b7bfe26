// Directory streams (DIR) over listings that a client gave.
#pragma once

#include <dirent.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace kiln {

// One open stream. The compiler holds its address as a DIR*, and reads it only through the functions of
// interpose_directories.cc.
class DirectoryStream {
 public:
  // `descriptor` is closed with the stream.
  DirectoryStream(std::vector<std::string> names, int descriptor);
  ~DirectoryStream();
  DirectoryStream(const DirectoryStream&) = delete;
  DirectoryStream& operator=(const DirectoryStream&) = delete;

  // The next entry, valid until the next call; null at the end. Its type is left unknown: whoever wants it
  // asks stat, and is recorded.
  struct dirent* read();
  [[nodiscard]] long position() const { return static_cast<long>(next_); }
  void seek(long position);
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  std::vector<std::string> names_;
  std::size_t next_ = 0;
  int descriptor_;
  struct dirent entry_{};
};

// The streams that are open, so that a DIR* of the C library's own is told from one of these.
class DirectoryStreams {
 public:
  DIR* open(std::vector<std::string> names, int descriptor);
  // Null if `stream` is none of these.
  DirectoryStream* find(DIR* stream);
  void close(DIR* stream) { streams_.erase(stream); }

 private:
  std::unordered_map<DIR*, std::unique_ptr<DirectoryStream>> streams_;
};

// `entry` for `name` at `position`; false if the name does not fit.
bool fill(struct dirent& entry, const std::string& name, std::size_t position);

}  // namespace kiln
