// Results of NVRTC and hiprtc as failures.
#pragma once

#include <string>
#include <string_view>

#include "frontends/rtc/api.h"
#include "jit/failure.h"

namespace kiln::rtc {

// A compile of the source named `source` that ended with `result` and wrote `log`.
Failure compileFailure(const Api& api, Result result, std::string_view source, std::string log);

// A call of `function`, a name without the prefix, for that source, other than the compile itself.
Failure callFailure(const Api& api, Result result, std::string_view function, std::string_view source);

}  // namespace kiln::rtc
