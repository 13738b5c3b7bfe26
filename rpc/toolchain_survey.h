// Which toolchains this node has, asked at the start.
#pragma once

#include <filesystem>
#include <vector>

#include "frontends/frontend.h"
#include "jit/toolchain.h"
#include "rpc/log.h"

namespace kiln {

// Finds and describes all toolchains, each in a process and a thread of its own, and logs a line about each.
// Blocks; no thread is left when it returns.
std::vector<Toolchain> surveyToolchains(const ToolchainSearch& search,
                                        const std::filesystem::path& compilerProgram, Log& log);

}  // namespace kiln
