// Which targets an nvJitLink compiles for.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "frontends/nvjitlink/library.h"
#include "jit/failure.h"

namespace kiln::nvjitlink {

// nvJitLink does not list them: each architecture that there may be is tried, with the specific forms it has.
// Tried in a process of its own, since nvJitLink 12.9 aborts later where an architecture was refused before.
// Failure: toolchainUnavailable, if it compiles for none.
std::expected<std::vector<std::string>, Failure> targetsOf(const Library& library);

}  // namespace kiln::nvjitlink
