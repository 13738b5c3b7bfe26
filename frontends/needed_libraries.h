// What a shared library says of the libraries that it needs. Nothing is loaded.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kiln {

struct NeededLibraries {
  std::vector<std::string> names;                  // DT_NEEDED, in order: "libLLVM-15.so.1"
  std::vector<std::filesystem::path> directories;  // of DT_RUNPATH or DT_RPATH, with $ORIGIN replaced
};

// Reads the dynamic section (System V ABI, "Dynamic Linking") of a little-endian ELF64 file. Empty for any
// other, and for one that is cut short.
NeededLibraries neededBy(const std::filesystem::path& library);

// The file of that name in the first of `directories` that has one, canonical; empty if none has.
std::filesystem::path resolveIn(const std::string& name,
                                const std::vector<std::filesystem::path>& directories);

}  // namespace kiln
