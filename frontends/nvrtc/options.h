// What kiln makes of NVRTC options: a pure function of text, so that libkiln and kilnd agree without either loading
// NVRTC.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "jit/failure.h"
#include "jit/request.h"

namespace kiln::nvrtc {

// Takes the include directories (every spelling NVRTC has: -Idir, -I dir, --include-path=dir, --include-path dir)
// out of the options into names.includeDirectories, behind those already there, and drops an -arch that says what
// the target says. Failure: an -arch that contradicts the target (invalidRequest), or what checkOptions refuses.
std::expected<Request, Failure> normalised(Request request);

// What may not stand in a request's options: include directories and the target (they have fields of their own) and
// options that write files, time the compiler, use NVRTC's own cache, start threads or use precompiled headers.
// The message names the option and the reason. Also refuses outputs that the target or the options do not yield.
std::expected<void, Failure> checkOptions(const Request& request);

// Whether the options bring names into the output: debug information, line information, LTO, relocatable code.
bool optionsBindNames(const std::vector<std::string>& options);

}  // namespace kiln::nvrtc
