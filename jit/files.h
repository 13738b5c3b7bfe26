// Questions that a compiler asks of the client's file system, and their answers. All paths are absolute, in
// the client's own view; symbolic links and ".." are the client's to follow.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jit/dependencies.h"

namespace kiln {

struct FileQuestion {
  enum class Kind : std::uint8_t {
    look = 0,      // what is there, links followed; with content
    list = 1,      // the names in a directory
    readLink = 2,  // the text of a symbolic link
    resolve = 3,   // the path without links, "." and ".."
  };
  Kind kind = Kind::look;
  std::string path;

  bool operator==(const FileQuestion&) const = default;
};

struct FileAnswer {
  enum class Kind : std::uint8_t {
    absent,  // text: the shallowest directory of the path that is missing, or the path itself
    file,    // text: the content
    directory,
    other,    // text: what it is: "a FIFO", "a socket", "a device"
    denied,   // text: why the client does not allow it, and how to allow it
    failed,   // error: errno; text: its message
    listing,  // names, without "." and ".."
    text,     // text: the link's text, or the resolved path
  };
  Kind kind = Kind::absent;
  std::uint64_t identity = 0;  // files and directories: equal for one file; says nothing beyond one client
  std::uint64_t size = 0;      // files: bytes
  std::string text = {};
  int error = 0;
  std::vector<std::string> names = {};

  bool operator==(const FileAnswer&) const = default;
};

// The answer to a look that has not been asked: absent, file, directory or other.
struct AheadAnswer {
  std::string path;
  FileAnswer answer;

  bool operator==(const AheadAnswer&) const = default;
};

// What a question brings: its answer, and what the client expects to be asked next. The latter is a guess
// that saves questions; a compile depends on it only where the compiler comes to ask the same.
struct FileReply {
  FileAnswer answer;
  std::vector<AheadAnswer> ahead = {};
};

struct DigestQuestion {
  std::string path;
  FileKind kind = FileKind::file;  // which kind of digest is asked for

  bool operator==(const DigestQuestion&) const = default;
};

// What the digest of a listing covers: the sorted names, each ended by NUL.
std::string listingText(std::vector<std::string> names);

}  // namespace kiln
