// Where the bitcode is that device code links against: NVIDIA's libdevice, ROCm's ocml and ockl. Nothing is
// loaded.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "frontends/library_search.h"

namespace kiln {

inline constexpr std::string_view kLibdevice = "libdevice.10.bc";
inline constexpr std::string_view kOcml = "ocml.bc";
inline constexpr std::string_view kOckl = "ockl.bc";

// Of each of them the first in the order of `search`; what is not there is left out.
std::vector<std::filesystem::path> findDeviceLibraries(const ToolchainSearch& search);

std::vector<LibraryKind> deviceLibraryKinds();

}  // namespace kiln
