// What kiln makes of hiprtc options, which are those of clang's driver: a pure function of text, so that
// libkiln and kilnd agree without either loading hiprtc.
#pragma once

#include <expected>

#include "jit/failure.h"
#include "jit/request.h"

namespace kiln::hiprtc {

// Takes the include directories (-Idir, and -I with dir as an element of its own) out of the options into
// names.includeDirectories, behind those already there, and drops a --gpu-architecture or --offload-arch that
// says what the target says. Failure: one that contradicts the target (invalidRequest), or what checkOptions
// refuses.
std::expected<Request, Failure> normalised(Request request);

// What may not stand in a request: include directories and the target (they have fields of their own),
// options that time the compiler, start threads, load code into the compiler or ask for another output than a
// compiled kernel, and outputs other than hsaco and bitcode. The list is of options that are known to do so:
// clang has thousands, of which the next version has others. Options that hiprtc does not know are left for
// it to refuse.
std::expected<void, Failure> checkOptions(const Request& request);

// Whether the options bring names into the output: debug information, coverage, and files that an option
// names.
bool optionsBindNames(const Request& request);

}  // namespace kiln::hiprtc
