// What only a process that loads a compiler library can tell of it.
#pragma once

#include <chrono>
#include <filesystem>

#include "jit/toolchain.h"

namespace kiln {

// Runs `kiln-compiler --describe FRONTEND LIBRARY` and fills in name ("nvrtc 13.0"), version and targets; on
// any trouble fills in `problem` and leaves name as frontend and library. Blocks for as long as the library
// takes to load and compile once, at most `limit`. Needs no event loop; may be called by any thread.
void describe(Toolchain& toolchain, const std::filesystem::path& compilerProgram,
              std::chrono::milliseconds limit = std::chrono::seconds(30));

}  // namespace kiln
