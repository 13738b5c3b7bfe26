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

}  // namespace kiln::nvrtc
