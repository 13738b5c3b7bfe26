// The log's lines about toolchains.
#pragma once

#include "jit/toolchain.h"
#include "rpc/log.h"

namespace kiln {

// A line for each toolchain that appeared, changed or went, and one if that leaves none to compile with.
void logToolchains(const ToolchainList& before, const ToolchainList& after, Log& log);

}  // namespace kiln
