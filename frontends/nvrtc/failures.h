// NVRTC's results as failures.
#pragma once

#include <string>
#include <string_view>

#include "frontends/nvrtc/library.h"
#include "jit/failure.h"

namespace kiln::nvrtc {

// A compile of the source named `source` that ended with `result` and wrote `log`.
Failure compileFailure(const Library& library, Result result, std::string_view source, std::string log);

// A call of `function` for that source, other than the compile itself.
Failure callFailure(const Library& library, Result result, std::string_view function,
                    std::string_view source);

}  // namespace kiln::nvrtc
