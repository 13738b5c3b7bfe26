// Where RocksDB writes its warnings: LOG in the store's directory.
//
// RocksDB's own writer of that file ends the process, in builds with assertions such as Debian's, when a
// second line comes after one for which the disk had no room.
#pragma once

#include <rocksdb/env.h>

#include <filesystem>
#include <memory>

namespace kiln {

// Up to 1 MiB, then what there is becomes LOG.old. What cannot be written is lost, and nothing else happens.
std::shared_ptr<rocksdb::Logger> makeStoreLog(const std::filesystem::path& directory);

}  // namespace kiln
