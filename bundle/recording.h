// From what libkiln recorded to a lock.
#pragma once

#include <filesystem>

#include "bundle/blob_folder.h"
#include "bundle/lock.h"
#include "bundle/result.h"

namespace kiln::bundle {

// The lock of the requests in `folder` (rpc/schema/recording.capnp), whose contents it copies to `blobs`.
// What is missing or damaged there is uncaptured. Fails where `blobs` cannot be written.
BundleResult<Lock> lockOf(const std::filesystem::path& folder, const BlobFolder& blobs);

}  // namespace kiln::bundle
