// What kiln makes of NVRTC options: a pure function of text, so that libkiln and kilnd agree without either
// loading NVRTC.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "jit/failure.h"
#include "jit/request.h"

namespace kiln::nvrtc {

// Takes the include directories (every spelling NVRTC has: -Idir, -I dir, -I=dir, --include-path=dir, and
// with dir as an element of its own) out of the options into names.includeDirectories, behind those already
// there, takes blanks off the end of their names as NVRTC does, drops an -arch that says what the target
// says, and drops --no-cache, which kiln gives by itself. Failure: an -arch that contradicts the target
// (invalidRequest), or what checkOptions refuses.
std::expected<Request, Failure> normalised(Request request);

// What may not stand in a request's options: include directories and the target (they have fields of their
// own) and options that write files, time the compiler, use NVRTC's own cache, start threads, use precompiled
// headers, or hand such options to a part of NVRTC. The message names the option and the reason. Also refuses
// outputs that the target or the options do not yield. Options that NVRTC does not know are left for NVRTC to
// refuse.
std::expected<void, Failure> checkOptions(const Request& request);

// Whether the options or the outputs asked for bring names into the output: debug information, line
// information, LTO, relocatable code.
bool optionsBindNames(const Request& request);

// Whether the options make NVRTC yield LTO IR, and nothing else.
bool optionsAskForLto(const std::vector<std::string>& options);

}  // namespace kiln::nvrtc
