// The GPUs of this machine, as targets.
#pragma once

#include <filesystem>
#include <vector>

#include "jit/target.h"

namespace kiln::client {

// Each architecture once: NVIDIA's as its driver tells ("sm_90"), AMD's as the kernel does ("gfx90a"). None
// where there is no driver, or it shows this process no device.
std::vector<Target> nodeGpus();

// Whether code for `target` runs on `gpu`: machine code for it or, of NVIDIA's, for an earlier minor version
// of it, and PTX for an architecture that is not later, which the driver compiles. AMD's features are not
// looked at.
bool runsOn(const Target& target, const Target& gpu);

// AMD's, from the folder in which the kernel tells of its devices.
std::vector<Target> amdGpusIn(const std::filesystem::path& topology);

}  // namespace kiln::client
