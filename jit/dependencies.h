// Dependencies: the files a compiler asked for, as it found them. Observed, never guessed by scanning text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "jit/hash.h"
#include "jit/role_path.h"

namespace kiln {

// What was found at a path. Values are stored and sent; they never change.
enum class FileKind : std::uint8_t {
  absent = 1,     // nothing is there; the path is that of the shallowest directory that is missing
  file = 2,       // a regular file that the compiler read, or asked the size of
  directory = 3,  // a directory
  listing = 4,    // a directory whose entries were listed: digests of the sorted names, each ended by NUL
  link = 5,       // a symbolic link that was read: digests of its text
  resolved = 6,   // a path that was resolved: digests of the resulting absolute path
  other = 7,      // a FIFO, a socket or a device, asked after and not opened
};

struct Dependency {
  RolePath path;
  FileKind kind = FileKind::absent;
  std::uint64_t size = 0;  // bytes; files only
  Hash128 xxh3;            // zero for absent, directory and other
  Sha256 sha256;           // likewise
  // Files with equal numbers are one file (by whatever links), files with different numbers are not: to
  // `#pragma once` a copy is another file. Counted from 1 in order of first use; 0 for all but files.
  std::uint32_t fileNumber = 0;

  bool operator==(const Dependency&) const = default;
};

// In order of path, without duplicates: two compiles that observe the same have equal sets.
using DependencySet = std::vector<Dependency>;

// How a path looks to one client now.
struct FileState {
  FileKind kind = FileKind::absent;
  std::uint64_t size = 0;
  Hash128 xxh3;
  std::uint64_t identity = 0;  // equal for one file; says nothing beyond one answer
};

// Puts `dependencies` in the order and numbering of a DependencySet.
DependencySet normalised(std::vector<Dependency> dependencies);

// The dependencies that `states` (one for each, in order) do not agree with, as indices in order; none if the
// sets agree. A file that has become another of equal bytes agrees; of files that were one and are not any
// more, or the reverse, the later ones do not.
std::vector<std::size_t> disagreements(const DependencySet& dependencies, std::span<const FileState> states);

}  // namespace kiln
