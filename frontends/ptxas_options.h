// Options of ptxas, which NVRTC and nvJitLink both hand on.
#pragma once

#include <string_view>

namespace kiln {

// Why `value`, one option as it is handed to ptxas, cannot be used; empty if it can.
std::string_view refusalOfPtxasOption(std::string_view value);

}  // namespace kiln
