// What NVRTC's libraries are called. Nothing is loaded.
#pragma once

#include <filesystem>
#include <vector>

#include "frontends/library_search.h"

namespace kiln::nvrtc {

LibraryKind libraryKind();

// The builtins libraries that `library` (canonical) may load: libnvrtc-builtins.so.<its version>* beside it,
// canonical and sorted, without those of another patch. They hold NVRTC's own headers and libdevice.
std::vector<std::filesystem::path> builtinsOf(const std::filesystem::path& library);

}  // namespace kiln::nvrtc
