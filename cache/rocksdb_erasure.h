// What goes with what when something of the RocksDB store is erased.
//
// Each function reads what there is and adds to a batch what is to go; its caller writes the batch, and holds
// off other writes from before the call until then.
#pragma once

#include <string_view>

#include "cache/rocksdb_database.h"

namespace kiln {

// Everything there is of an entry, and its request with the last entry of it.
StoreResult<void> eraseEntry(const Database& database, Database::Batch& batch, std::string_view domain,
                             const EntryKey& key);
// A request alone.
StoreResult<void> eraseRequest(const Database& database, Database::Batch& batch, std::string_view domain,
                               const Hash128& hash);
// A bundle with its pins, and the entries that no other pins. False if there is none of that digest.
StoreResult<bool> eraseBundle(const Database& database, Database::Batch& batch, std::string_view domain,
                              const Sha256& digest);
// Whether there is a bundle of that digest, each of whose entries is still pinned by it.
StoreResult<bool> isBundleWhole(const Database& database, std::string_view domain, const Sha256& digest);
// As eraseBundle() for the row of a bundle whose record may be bad.
StoreResult<void> eraseBundleRow(const Database& database, Database::Batch& batch, const std::string& row);
// What intakes that were never committed have left behind; nobody finds any of it.
void eraseIntake(Database::Batch& batch, const std::string& row);
StoreResult<void> eraseIntakes(const Database& database, Database::Batch& batch);

}  // namespace kiln
