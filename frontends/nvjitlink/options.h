// What kiln makes of a PTX request and of nvJitLink's options: pure functions of text.
#pragma once

#include <expected>

#include "jit/failure.h"
#include "jit/request.h"

namespace kiln::nvjitlink {

// Takes an -arch=… that says what the target says, and -no-cache, which kiln gives by itself, out of the
// options. Failure: what checkOptions refuses.
std::expected<Request, Failure> normalised(Request request);

// What may not stand in a request: options that print times, start threads, ask for other outputs than a
// cubin or hand such options to a part of nvJitLink, an -arch (the target has a field of its own); headers,
// include directories and name expressions, which PTX has none of; another output than the cubin, a virtual
// target, an input of PTX whose .target does not run on the request's, LTO IR without -lto, and -lto without
// LTO IR. Options that nvJitLink does not know are left for it to refuse.
std::expected<void, Failure> checkOptions(const Request& request);

// Never: nvJitLink writes no name that it is told into a cubin, with -g, -lineinfo and -lto neither. The
// names that these show stand in the PTX, or in the LTO IR.
bool optionsBindNames(const Request& request);

}  // namespace kiln::nvjitlink
