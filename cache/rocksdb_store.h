// The Store on RocksDB.
//
// A store is a directory:
//   FORMAT   "kiln-store 1": the layout below, read before anything else is touched
//   the rest is RocksDB's, with these column families
//     entries    domain, key                       an entry (entry_format.h), large ones in blob files
//     summaries  domain, key                       what a listing shows of it (summary_format.h)
//     manifests  domain, request hash, key         what a lookup needs of it (manifest_format.h)
//     requests   domain, request hash              what was compiled (request_format.h)
//     sources    domain, source hash, request hash nothing: an index from a source to its requests
//   where domain is its length (u16), then its name, and a key or hash is its 16 bytes.
//
// History: 1 is the first.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>

#include "jit/store.h"

namespace kiln {

// Opens the store in `directory`, creating it (mode 0700) when it is not there. Fails, with a message for a
// person, when another process holds it, when it may not be read or written, when it is of a newer format, or
// when the directory holds another program's database.
StoreResult<std::unique_ptr<Store>> openRocksDbStore(const std::filesystem::path& directory);

}  // namespace kiln
