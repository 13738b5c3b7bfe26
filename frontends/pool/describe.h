// What only a process that loads a compiler library can tell of it.
#pragma once

#include <filesystem>

#include "jit/toolchain.h"

namespace kiln {

// Runs `kiln-compiler --describe FRONTEND LIBRARY` and fills in name ("nvrtc 13.0"), version and targets; on any
// trouble fills in `problem` and leaves name as frontend and library. Blocks for as long as the library takes to
// load and compile once, at most 30 s.
void describe(Toolchain& toolchain, const std::filesystem::path& compilerProgram);

}  // namespace kiln
