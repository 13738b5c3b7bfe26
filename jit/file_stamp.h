// Whether files are still what they were when they were read, told without reading them again.
//
// A stamp that was taken when its file had not changed for kSettled changes with whatever happens to the file
// afterwards: every change sets ctime, which no program can set back. A younger one could miss a second
// change within one tick of the file system's clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace kiln {

// Longer than a tick of any clock that a local file system stamps files by.
inline constexpr std::chrono::milliseconds kSettled{100};

struct FileStamp {
  std::string path;  // absolute; symbolic links are followed
  // All zero: there is nothing.
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modifiedNanoseconds = 0;  // mtime, since 1970
  std::int64_t changedNanoseconds = 0;   // ctime

  bool operator==(const FileStamp&) const = default;
};

// Those names in a directory that begin with `prefix`, sorted, each with " -> " and its text if it is a link.
struct FolderStamp {
  FileStamp folder;  // spares reading the directory as long as it holds; numbers are zero if it was too young
  std::string prefix;
  std::vector<std::string> names;

  // What else happens in the folder makes no difference.
  bool operator==(const FolderStamp& other) const {
    return folder.path == other.folder.path && prefix == other.prefix && names == other.names;
  }
};

// How a set of files looks from outside.
struct Footprint {
  std::vector<FileStamp> files;
  std::vector<FolderStamp> folders;

  bool operator==(const Footprint&) const = default;
};

FileStamp stampFile(std::string path);
// Holds for no file that there is: of one that does not come to rest.
inline FileStamp stampUnsettled(std::string path) { return {.path = std::move(path)}; }
FolderStamp stampFolder(std::string path, std::string prefix);

// Whether the file changed less than kSettled ago, by this machine's clock.
bool isYoung(const FileStamp& stamp);

// Whether everything is as it was: one stat() for each file and folder, microseconds on a local disk. Folders
// in which anything else happened since are read.
bool holds(const Footprint& footprint);

}  // namespace kiln
