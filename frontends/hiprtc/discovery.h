// What hiprtc's libraries are called. Nothing is loaded.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "frontends/library_search.h"

namespace kiln::hiprtc {

LibraryKind libraryKind();

// The libraries that `library` (canonical) compiles with, canonical, each behind those that it needs: the
// LLVM that comgr needs where that is a library of its own, comgr, which holds clang, lld and the device
// libraries, and the builtins, hiprtc's own header, where that does not stand in `library`.
std::vector<std::filesystem::path> companionsOf(const std::filesystem::path& library);

// "5.2" of "libamdhip64.so.5.2.21153"; empty if the name does not tell.
std::string versionInName(const std::filesystem::path& library);

}  // namespace kiln::hiprtc
