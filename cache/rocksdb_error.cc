#include "cache/rocksdb_error.h"

#include <string_view>

namespace kiln {
namespace {

// RocksDB has no code for this: "While lock file: ..." says that another process holds the lock, "lock hold
// by current process" that this one does.
bool isLocked(const rocksdb::Status& status) {
  if (!status.IsIOError() || status.getState() == nullptr) return false;
  std::string_view text(status.getState());
  return text.find("While lock file") != std::string_view::npos ||
         text.find("lock hold by current process") != std::string_view::npos;
}

}  // namespace

StoreError storeError(const std::string& attempt, const std::filesystem::path& directory,
                      const rocksdb::Status& status) {
  auto name = directory.string();
  if (isLocked(status)) {
    return {"another kilnd (or another process) holds the store " + name +
            "; stop it or give another --store"};
  }
  auto message = "cannot " + attempt + " the store " + name + ": ";
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    return {message + "the disk is full (" + status.ToString() +
            "); make room on it or give another --store"};
  }
  if (status.IsCorruption()) {
    return {message + "it is damaged (" + status.ToString() + "); move it away, and a new one is started"};
  }
  return {message + status.ToString() + "; check the directory's permissions and the disk"};
}

}  // namespace kiln
