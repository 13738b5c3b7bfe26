#include "jit/file_stamp.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace kiln {
namespace {

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

// None if the directory cannot be read.
std::vector<std::string> namesIn(const std::string& path, std::string_view prefix) {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    auto name = at->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    std::error_code ignored;
    if (at->is_symlink(ignored)) {
      name += " -> " + std::filesystem::read_symlink(at->path(), ignored).string();
    }
    names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool fileHolds(const FileStamp& stamp) { return stampFile(stamp.path) == stamp; }

bool folderHolds(const FolderStamp& stamp) {
  return fileHolds(stamp.folder) || namesIn(stamp.folder.path, stamp.prefix) == stamp.names;
}

}  // namespace

FileStamp stampFile(std::string path) {
  FileStamp stamp{.path = std::move(path)};
  struct stat status{};
  if (stat(stamp.path.c_str(), &status) != 0) return stamp;
  stamp.device = status.st_dev;
  stamp.inode = status.st_ino;
  stamp.size = static_cast<std::uint64_t>(status.st_size);
  stamp.modifiedNanoseconds = nanoseconds(status.st_mtim);
  stamp.changedNanoseconds = nanoseconds(status.st_ctim);
  return stamp;
}

FolderStamp stampFolder(std::string path, std::string prefix) {
  FolderStamp stamp{.folder = stampFile(std::move(path)), .prefix = std::move(prefix), .names = {}};
  if (isYoung(stamp.folder)) stamp.folder = stampUnsettled(stamp.folder.path);
  stamp.names = namesIn(stamp.folder.path, stamp.prefix);
  return stamp;
}

bool isYoung(const FileStamp& stamp) {
  const std::chrono::nanoseconds now = std::chrono::system_clock::now().time_since_epoch();
  const auto age = now - std::chrono::nanoseconds(stamp.changedNanoseconds);
  return age < kSettled &&
         age > -kSettled;  // far in the future: a clock of another machine, which tells nothing
}

bool holds(const Footprint& footprint) {
  return std::all_of(footprint.files.begin(), footprint.files.end(), fileHolds) &&
         std::all_of(footprint.folders.begin(), footprint.folders.end(), folderHolds);
}

}  // namespace kiln
