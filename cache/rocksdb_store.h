// The Store on RocksDB.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>

#include "jit/store.h"

namespace kiln {

// Opens the store in `directory`, creating it (mode 0700) when it is not there. Fails, with a message for a
// person, when another process holds it, when it may not be read or written, or when it is of a newer format.
StoreResult<std::unique_ptr<Store>> openRocksDbStore(const std::filesystem::path& directory);

}  // namespace kiln
