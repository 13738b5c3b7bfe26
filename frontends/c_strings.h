// What compilers that take C strings cannot be given.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "jit/failure.h"
#include "jit/request.h"

namespace kiln {

// A C string ends at its first NUL: `compiler` would silently compile, or look for, what stands before it.
// Failure: invalidRequest, if a text of the request holds one; the message says which.
std::expected<void, Failure> checkCStrings(const Request& request, std::string_view compiler);

}  // namespace kiln
