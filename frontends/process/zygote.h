// The zygote: one toolchain, loaded and warm, and a clone of this process for every compile.
#pragma once

#include <expected>

#include "frontends/process/loaded_toolchain.h"

namespace kiln {

// Reports whether the toolchain works on `control` (compiler.capnp), then clones a child for every order that
// arrives there, until kilnd closes its end. Returns the process's exit status. kilnd is this process's
// parent, and that of the children.
int runZygote(int control, std::expected<LoadedToolchain, Failure> toolchain);

// ZygoteReport.ready or .failed as one packet on the standard output, by way of the descriptor `output`.
// Returns the process's exit status.
int writeDescription(int output, const std::expected<LoadedToolchain, Failure>& toolchain);

}  // namespace kiln
