// What the parts of the pool share.
#pragma once

#include <kj/async-io.h>
#include <kj/async-unix.h>
#include <kj/timer.h>

#include <chrono>

#include "frontends/pool/pool.h"
#include "frontends/pool/process_table.h"

namespace kiln {

struct PoolContext {
  kj::UnixEventPort& port;
  kj::LowLevelAsyncIoProvider& io;
  kj::Timer& timer;
  const PoolOptions& options;
  ProcessTable& table;
};

inline kj::Duration toKj(std::chrono::milliseconds duration) { return duration.count() * kj::MILLISECONDS; }

}  // namespace kiln
