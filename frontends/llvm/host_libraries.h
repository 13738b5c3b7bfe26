// The system's libraries that a shared object for the host may call: the C library, its mathematics, and the
// compiler's own support. Known by name alone, so that what a node has of them reaches no output.
#pragma once

#include <llvm/Object/ObjectFile.h>

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "jit/failure.h"

namespace kiln::llvmir {

// Of the libraries that `object` calls functions of a stand-in each for the linker, written into `directory`;
// their paths. Each has the library's name and the names of those functions. A function of none of them is
// left for the linker to report.
std::expected<std::vector<std::string>, std::string> writeStandIns(const std::string& object,
                                                                   const std::string& directory);

}  // namespace kiln::llvmir
