// The directory of the last path, held open: of paths that come sorted, most are then one step away instead
// of ten.
#pragma once

#include <kj/io.h>

#include <string>

namespace kiln::client {

// Not thread-safe.
class LastDirectory {
 public:
  // As openat() and its kin take a path.
  struct Place {
    int directory;
    const char* name;
  };

  // Where `path` is; valid until the next call, and as long as `path`. What it leads to is the same as that
  // of the path, as it was when its directory was first asked for.
  Place placeOf(const std::string& path);

 private:
  std::string path_;
  kj::AutoCloseFd descriptor_;
};

}  // namespace kiln::client
