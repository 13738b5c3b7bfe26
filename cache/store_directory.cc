#include "cache/store_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace kiln {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFormatFile = "FORMAT";
constexpr std::string_view kFormatPrefix = "kiln-store ";

std::unexpected<StoreError> refused(std::string message) {
  return std::unexpected(StoreError{std::move(message)});
}

std::unexpected<StoreError> refused(const std::string& attempt, const fs::path& path, int error) {
  return refused("cannot " + attempt + " " + path.string() + ": " + std::strerror(error) +
                 "; correct that or give another --store");
}

StoreResult<void> createDirectory(const fs::path& directory) {
  std::error_code error;
  if (directory.has_parent_path()) fs::create_directories(directory.parent_path(), error);
  if (error) return refused("create the directory", directory.parent_path(), error.value());
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return refused("create the store's directory", directory, errno);
  }
  if (!fs::is_directory(directory, error)) {
    return refused("use as a store", directory, error ? error.value() : ENOTDIR);
  }
  if (access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    return refused("read and write the store", directory, errno);
  }
  return {};
}

// Writes all of `text` to a new file and to the disk. errno, or 0.
int writeDurably(const fs::path& path, std::string_view text) {
  int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return errno;
  errno = EIO;
  bool written =
      write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(file) == 0;
  int error = written ? 0 : errno;
  close(file);
  return error;
}

// By way of a temporary name, so that the file is there whole or not at all.
StoreResult<void> writeFormat(const fs::path& directory) {
  auto path = directory / kFormatFile;
  auto unfinished = fs::path(path) += ".new";
  auto text = std::string(kFormatPrefix) + std::to_string(kStoreFormatVersion) + "\n";
  int error = writeDurably(unfinished, text);
  if (error == 0 && rename(unfinished.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) return refused("write", path, error);
  return {};
}

StoreResult<void> checkFormat(const fs::path& directory, std::string_view text) {
  auto path = directory / kFormatFile;
  unsigned version = 0;
  if (text.starts_with(kFormatPrefix)) {
    text.remove_prefix(kFormatPrefix.size());
    std::from_chars(text.data(), text.data() + text.size(), version);
  }
  if (version == 0) {
    return refused(path.string() + " does not say which format the store has, so " + directory.string() +
                   " is no kiln store or a damaged one; move it away or give another --store");
  }
  if (version != kStoreFormatVersion) {
    return refused("the store " + directory.string() + " has format " + std::to_string(version) +
                   ", and this kilnd knows format " + std::to_string(kStoreFormatVersion) +
                   "; start the kilnd that wrote it, or give another --store");
  }
  return {};
}

}  // namespace

StoreResult<void> prepareStoreDirectory(const fs::path& directory) {
  if (auto created = createDirectory(directory); !created) return created;
  std::ifstream format(directory / kFormatFile);
  if (format) {
    std::string text{std::istreambuf_iterator<char>(format), {}};
    return checkFormat(directory, text);
  }
  std::error_code error;
  if (fs::exists(directory / kFormatFile, error)) {
    return refused("read", directory / kFormatFile, EACCES);
  }
  if (fs::exists(directory / "CURRENT", error)) {
    return refused("the directory " + directory.string() +
                   " holds the RocksDB database of another program; give another --store");
  }
  return writeFormat(directory);
}

}  // namespace kiln
