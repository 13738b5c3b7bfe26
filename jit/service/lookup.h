// Looking a request up: from its manifests to the one entry whose dependencies agree with the asker's files.
#pragma once

#include <kj/async.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "jit/artifact.h"
#include "jit/service/client_files.h"
#include "jit/service/executor.h"
#include "jit/service/recent_hits.h"
#include "jit/store.h"
#include "jit/toolchain.h"

namespace kiln {

struct LookupQuestion {
  std::string domain;
  Hash128 requestHash;
  // An entry of any of these fits, rather of an earlier one; never empty.
  ToolchainList toolchains;
  Names names;  // the asker's own
  kj::Own<ClientFiles> files;
  std::shared_ptr<const Request> request;  // null if nothing but its hash is known
  uid_t user = 0;
  Which which = Which::all;  // entries that may be found
  bool isUse = true;         // of what is found: it becomes the one that was used last
};

struct LookupAnswer {
  std::shared_ptr<const Entry> entry;  // null on a miss
  std::string missReason;
  std::optional<EntryKey> nearest;  // what `missReason` compares with, if that is one entry
};

// Looks among the recent hits first, and keeps what it finds there: `recent` has what `which` allows and no
// more. A store that fails makes a miss; `onStoreError` is told. Store, executor, `onStoreError` and `recent`
// outlive the promise, which rejects only when the client is gone.
kj::Promise<LookupAnswer> lookUp(Store& store, Executor& executor,
                                 const std::function<void(const StoreError&)>& onStoreError,
                                 RecentHits& recent, LookupQuestion question);

}  // namespace kiln
