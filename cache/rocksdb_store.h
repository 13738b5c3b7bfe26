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
//     bundles    domain, digest, intake            what is remembered of a bundle (bundle_format.h)
//     intakes    domain, intake                    nothing: an intake that was begun and is not committed
//     bundled    domain, intake, key               an entry that a bundle brought, large ones in blob files
//                domain, intake, request hash      a request that a bundle brought
//     pins       domain, key, intake               nothing: that a bundle pins the entry
//     members    domain, intake, request hash, key what a bundle brought: the hash of its source
//   where domain is its length (u16), then its name, and a key or hash is its 16 bytes. A digest is the
//   bundle's, of 32 bytes, and an intake the id, of 16, of the one that brought it.
//
//   An entry is in `entries` or, where a bundle brought it, in `bundled`; so is a request. One in `bundled`
//   is found by the pin of the entry, or of one of the request's.
//
// History: 1 is the first. Bundles, with the column families of their own, came to it later: a store without
// them gets them when it is opened, and a kilnd that does not know them opens none with them.
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
