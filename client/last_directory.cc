#include "client/last_directory.h"

#include <fcntl.h>

namespace kiln::client {

LastDirectory::Place LastDirectory::placeOf(const std::string& path) {
  auto slash = path.rfind('/');
  // "/name", "directory/": nothing is gained.
  if (slash == std::string::npos || slash == 0 || slash + 1 == path.size()) return {AT_FDCWD, path.c_str()};
  if (path.compare(0, slash, path_) != 0) {
    path_.assign(path, 0, slash);
    descriptor_ = kj::AutoCloseFd(::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  if (descriptor_.get() < 0) return {AT_FDCWD, path.c_str()};
  return {descriptor_.get(), path.c_str() + slash + 1};
}

}  // namespace kiln::client
