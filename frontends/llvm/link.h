// lld in this process.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "jit/failure.h"

namespace kiln::llvmir {

// What is there beside the object: nothing, or the system's libraries (host_libraries.h).
enum class Libraries : std::uint8_t { none, ofSystem };

// Links one object file to a shared object; an AMD code object is one. `source` is what a failure names.
// Once in a process: lld leaves a state behind. Failure: compileError, with lld's log.
std::expected<std::string, Failure> linkShared(const std::string& object, const std::string& source,
                                               Libraries libraries);

}  // namespace kiln::llvmir
