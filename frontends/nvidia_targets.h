// The names of NVIDIA's architectures.
#pragma once

#include <string>
#include <vector>

namespace kiln {

// The forms of an architecture's number in the compilers of one CUDA version: "90", "90a".
std::vector<std::string> formsOfArchitecture(int architecture, int cudaMajor, int cudaMinor);

}  // namespace kiln
