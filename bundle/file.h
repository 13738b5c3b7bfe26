// Files as layouts are read from and written to.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "bundle/problem.h"

namespace kiln::bundle {

// Owns an open file; -1 is none.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number = -1) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor();

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool isOpen() const { return number_ >= 0; }
  // Some file systems tell only now that a write failed. errno, or 0.
  int close();

 private:
  int number_;
};

// Exactly `size` bytes from `offset` on, into `bytes`; `what` names them in messages.
Attempt<void> readInto(char* bytes, const FileDescriptor& file, std::uint64_t offset, std::size_t size,
                       std::string_view what);
Attempt<std::string> readAt(const FileDescriptor& file, std::uint64_t offset, std::size_t size,
                            std::string_view what);

// A regular file whole, if it has at most `most` bytes. Waits for nothing: a FIFO, a device or a directory is
// told and not read.
enum class Links { followed, refused };
Attempt<std::string> readWhole(const std::filesystem::path& path, std::uint64_t most, Links links);
// Its first `size` bytes; a shorter file is an error.
Attempt<std::string> readStart(const std::filesystem::path& path, std::size_t size, Links links);

// errno, or 0.
int writeAll(const FileDescriptor& file, std::string_view bytes);

// What is being written for `target`: a path beside it that nothing has yet. Removes what is there in the
// end.
class Unfinished {
 public:
  explicit Unfinished(const std::filesystem::path& target);
  ~Unfinished();
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  enum class Replacing { fileOrNothing, directory };
  // Renames it to `target`. A directory there changes places with it, and so is removed in the end. errno, or
  // 0.
  int moveIntoPlace(Replacing replacing);

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
};

}  // namespace kiln::bundle
