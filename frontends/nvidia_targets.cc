#include "frontends/nvidia_targets.h"

#include <utility>

namespace kiln {

// Compilers list numbers only, or none. The architecture-specific form (sm_90a) exists from 9.0 on and since
// CUDA 12.0, the family-specific form (sm_100f) from 10.0 on and since CUDA 12.9. Tried with each number on
// 12.9 and 13.0.
std::vector<std::string> formsOfArchitecture(int architecture, int cudaMajor, int cudaMinor) {
  const auto version = std::pair(cudaMajor, cudaMinor);
  auto number = std::to_string(architecture);
  std::vector<std::string> forms = {number};
  if (architecture >= 90 && version >= std::pair(12, 0)) forms.push_back(number + "a");
  if (architecture >= 100 && version >= std::pair(12, 9)) forms.push_back(number + "f");
  return forms;
}

}  // namespace kiln
