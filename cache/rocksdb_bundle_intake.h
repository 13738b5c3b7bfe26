// The BundleIntake of the RocksDB store.
//
// Entries and requests are large, and written as they come, to rows of the intake's own (Column::bundled).
// They are written once, to no log, since what a crash takes of them was not committed. Nothing leads there
// before the commit, which is one batch: summaries and manifests, which are kept in memory until then, and
// pins, by which entries and requests are found where the intake has them. So nothing is copied, what was put
// under the same key stays as it is until then, and what an intake leaves behind is erased by its id.
#pragma once

#include <memory>
#include <shared_mutex>

#include "cache/rocksdb_database.h"

namespace kiln {

// `database` and `erasing`, which is what holds off its other writers, outlive the intake. `intake` is an id
// that no other has had.
StoreResult<std::unique_ptr<BundleIntake>> beginIntake(Database& database, std::shared_mutex& erasing,
                                                       BundleRecord record, const Hash128& intake);

}  // namespace kiln
