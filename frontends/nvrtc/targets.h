// Which targets an NVRTC compiles for.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "frontends/nvrtc/library.h"
#include "jit/target.h"

namespace kiln::nvrtc {

// All targets: the architectures that NVRTC lists, in its order, each with the specific forms it has; first
// machine code, then PTX. Failure: toolchainUnavailable, if NVRTC lists none.
std::expected<std::vector<std::string>, Failure> targetsOf(const Library& library);

// Failure: unsupportedTarget, with a message that lists `targets`.
std::expected<void, Failure> checkTarget(const Target& target, const std::vector<std::string>& targets,
                                         const std::string& version);

}  // namespace kiln::nvrtc
