// The compiler interface over NVRTC.
//
// What NVRTC does beside compiling, seen with strace on 12.9 and 13.0: at the first compile it loads its
// builtins library (kiln has loaded it by then). Each compile asks for the working directory, looks (stat) at
// the source's own name, at its directory, at the working directory and at "__nv_nvrtc_builtin_header.h". For
// every #include it looks (stat, then fopen) in the including file's directory, then in each include
// directory, until one is found. In-memory headers are found before any file. Nothing is written. Since 12.9
// it also loads libcuda.so.1 for a cache of its own, unless told --no-cache.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>

#include "jit/compiler.h"

namespace kiln::nvrtc {

// Loads the library; the process's environment loses the variables that steer NVRTC. Failure:
// toolchainUnavailable.
std::expected<std::unique_ptr<Compiler>, Failure> load(const std::filesystem::path& library);

}  // namespace kiln::nvrtc
