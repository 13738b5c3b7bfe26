// The one place where RocksDB's errors become messages for people.
#pragma once

#include <rocksdb/status.h>

#include <filesystem>
#include <string>

#include "jit/store.h"

namespace kiln {

// `attempt` is what was tried: "read", "write", "open".
StoreError storeError(const std::string& attempt, const std::filesystem::path& directory,
                      const rocksdb::Status& status);

}  // namespace kiln
