// From what a compile yielded to an entry, and into the store.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "jit/artifact.h"
#include "jit/store.h"
#include "jit/toolchain.h"

namespace kiln {

// What was compiled, for whom.
struct CompileJob {
  std::string domain;
  Hash128 requestHash;
  std::shared_ptr<const Request> request;  // with the names that were compiled under
  std::shared_ptr<const Toolchain> toolchain;
};

struct Published {
  std::shared_ptr<const Entry> entry;  // its key is zero unless it is in the store
  std::string notRemembered;           // why it is not; empty if it is
  std::optional<StoreError> error;     // set if the store was to keep it and could not
};

// Makes the entry and puts it into the store if it is fit to be remembered: compiled cleanly, to an artifact
// or to a deterministic failure. Blocks on digests and on the disk; thread-safe.
Published publish(Store& store, const CompileJob& job, Compiled compiled);

}  // namespace kiln
