// The frontend for MLIR, by the MLIR and the LLVM that kiln-compiler-mlir is linked with.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <vector>

#include "jit/compiler.h"
#include "jit/failure.h"

namespace kiln::mlirir {

// The compiler is a part of this process; `files` are the device libraries that it is handed. Once in a
// process. Failure: toolchainUnavailable.
std::expected<std::unique_ptr<Compiler>, Failure> load(const std::vector<std::filesystem::path>& files);

}  // namespace kiln::mlirir
