#include "frontends/nvrtc/targets.h"

#include <algorithm>

namespace kiln::nvrtc {
namespace {

// NVRTC lists numbers only. The architecture-specific form (sm_90a) exists from 9.0 on and since NVRTC 12.0,
// the family-specific form (sm_100f) from 10.0 on and since NVRTC 12.9. Tried with each number on 12.9
// and 13.0.
std::vector<std::string> formsOf(int architecture, Version version) {
  auto number = std::to_string(architecture);
  std::vector<std::string> forms = {number};
  if (architecture >= 90 && version >= Version{12, 0}) forms.push_back(number + "a");
  if (architecture >= 100 && version >= Version{12, 9}) forms.push_back(number + "f");
  return forms;
}

}  // namespace

std::expected<std::vector<std::string>, Failure> targetsOf(const Library& library) {
  int count = 0;
  auto result = library->getNumSupportedArchs(&count);
  std::vector<int> architectures(static_cast<std::size_t>(std::max(count, 0)));
  if (result == Result::success && count > 0) result = library->getSupportedArchs(architectures.data());
  if (result != Result::success || count <= 0) {
    return std::unexpected(Failure{FailureKind::toolchainUnavailable,
                                   std::string("NVRTC does not tell which architectures it compiles for: ") +
                                       library.api()->getErrorString(result)});
  }
  std::vector<std::string> targets;
  for (const char* prefix : {"sm_", "compute_"}) {
    for (int architecture : architectures) {
      for (const auto& form : formsOf(architecture, library.version())) targets.push_back(prefix + form);
    }
  }
  return targets;
}

}  // namespace kiln::nvrtc
