// What LLVM and lld do with files.
#pragma once

#include <string_view>

#include "frontends/file_habits.h"

namespace kiln::llvmir {

// How the names of the directories begin that a link has its files in.
inline constexpr std::string_view kScratchPrefix = "/tmp/kiln-link-";

// The module is all that there is to read.
inline FileHabits fileHabits() { return {.readsFiles = false, .scratch = kScratchPrefix}; }

}  // namespace kiln::llvmir
