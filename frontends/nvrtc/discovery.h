// Where NVRTC libraries are. Nothing is loaded.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "frontends/frontend.h"

namespace kiln::nvrtc {

// Every NVRTC, each file once, in the order of `search`. In the system's part CUDA_HOME and CUDA_PATH come
// first, then the usual prefixes, then the dynamic loader's cache. A library without its builtins is listed
// too: loading it says what is missing.
std::vector<FoundLibrary> find(const ToolchainSearch& search);

// The places that `search` names, and in the system's part CUDA_HOME and CUDA_PATH, in which there is no
// NVRTC: a line each, for a person.
std::vector<std::string> emptyPlaces(const ToolchainSearch& search);

// The builtins libraries that `library` (canonical) may load: libnvrtc-builtins.so.<its version>* beside it,
// canonical and sorted, without those of another patch. They hold NVRTC's own headers and libdevice.
std::vector<std::filesystem::path> builtinsOf(const std::filesystem::path& library);

}  // namespace kiln::nvrtc
