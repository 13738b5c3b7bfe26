// The directory of a store, before RocksDB opens it: that it is there, is ours, and of a format known here.
#pragma once

#include <filesystem>

#include "jit/store.h"

namespace kiln {

inline constexpr unsigned kStoreFormatVersion = 1;

// Creates `directory` (mode 0700) and its FORMAT file where they are missing. Changes nothing where it fails
// because of what is there.
StoreResult<void> prepareStoreDirectory(const std::filesystem::path& directory);

}  // namespace kiln
