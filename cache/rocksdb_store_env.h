// openRocksDbStore() over a file system of the caller's, for tests of what a crash or a full disk leaves
// behind.
#pragma once

#include <rocksdb/env.h>

#include <filesystem>
#include <memory>

#include "jit/store.h"

namespace kiln {

// `env` outlives the store; null: the real one.
StoreResult<std::unique_ptr<Store>> openRocksDbStore(const std::filesystem::path& directory,
                                                     rocksdb::Env* env);

}  // namespace kiln
