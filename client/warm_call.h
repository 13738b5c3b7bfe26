// A bundle on its way to kilnd.
#pragma once

#include <kj/async.h>

#include <memory>

#include "client/client.h"
#include "client/worker_pool.h"
#include "kiln.capnp.h"

namespace kiln::client {

// For the loop. Several portions are under way at a time, so that this side reads while that one verifies and
// writes.
kj::Promise<WarmReply> warm(schema::Session::Client session, WorkerPool& workers,
                            std::shared_ptr<BundleSource> source);

}  // namespace kiln::client
