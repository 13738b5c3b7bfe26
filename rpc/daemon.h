// kilnd from its first client to its last: the parts wired together around one event loop.
#pragma once

#include <kj/async-io.h>

#include <expected>
#include <string>
#include <vector>

#include "jit/store.h"
#include "rpc/config.h"
#include "rpc/listener.h"
#include "rpc/log.h"
#include "rpc/toolchain_survey.h"

namespace kiln {

// SIGTERM and SIGINT then wait for runDaemon(), in whichever thread they arrive: to be called before there
// are any threads.
void captureStopSignals();

// Serves until a signal or a client asks to stop, then takes no more clients and gives running compiles
// `config.shutdownTimeout` to end; a second signal ends it at once. Kills what still runs before it returns.
// `config` has its defaults filled in. `found` is what `survey` told last; it is run again, by threads of the
// daemon's own, when their files change or a client asks for it. `bundles` are all that `store` has.
void runDaemon(kj::AsyncIoContext& io, const Config& config, ToolchainSurvey& survey,
               std::vector<Toolchain> found, Store& store, const std::vector<BundleRecord>& bundles,
               std::vector<Listener> listeners, Log& log);

}  // namespace kiln
