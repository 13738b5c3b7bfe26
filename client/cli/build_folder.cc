#include "client/cli/build_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace kiln::cli {
namespace {

// Whether `path` still is what `file` has open: the build that had it may have removed it meanwhile.
bool isAt(const std::filesystem::path& path, int file) {
  struct stat opened{};
  struct stat there{};
  return ::fstat(file, &opened) == 0 && ::stat(path.c_str(), &there) == 0 && opened.st_dev == there.st_dev &&
         opened.st_ino == there.st_ino;
}

}  // namespace

std::expected<BuildFolder, std::string> BuildFolder::take(const std::filesystem::path& path) {
  const auto lockPath = path / "lock";
  while (true) {
    std::error_code error;
    const bool isNew = std::filesystem::create_directory(path, error);
    if (error) return std::unexpected("cannot make the folder '" + path.string() + "': " + error.message());
    kj::AutoCloseFd lock(::open(lockPath.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock.get() < 0 && errno == ENOENT) continue;  // it was removed meanwhile
    if (lock.get() < 0)
      return std::unexpected("cannot make '" + lockPath.string() + "': " + std::strerror(errno));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
      if (isAt(lockPath, lock.get())) return BuildFolder(path, std::move(lock), !isNew);
      continue;
    }
    return std::unexpected(errno == EWOULDBLOCK
                               ? "another build keeps what it compiles in '" + path.string() +
                                     "'; wait until it has ended, or write to another path"
                               : "cannot lock '" + lockPath.string() + "': " + std::strerror(errno));
  }
}

BuildFolder::~BuildFolder() {
  if (lock_.get() < 0 || isToKeep_) return;
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace kiln::cli
