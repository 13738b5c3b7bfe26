#include "frontends/nvrtc/targets.h"

#include <algorithm>

#include "frontends/nvidia_targets.h"

namespace kiln::nvrtc {
std::expected<std::vector<std::string>, Failure> targetsOf(const Library& library) {
  int count = 0;
  auto result = library->getNumSupportedArchs(&count);
  std::vector<int> architectures(static_cast<std::size_t>(std::max(count, 0)));
  if (result == Result::success && count > 0) result = library->getSupportedArchs(architectures.data());
  if (result != Result::success || count <= 0) {
    return std::unexpected(Failure{FailureKind::toolchainUnavailable,
                                   std::string("NVRTC does not tell which architectures it compiles for: ") +
                                       library->getErrorString(result)});
  }
  std::vector<std::string> targets;
  const auto [major, minor] = library.version();
  for (const char* prefix : {"sm_", "compute_"}) {
    for (int architecture : architectures) {
      for (const auto& form : formsOfArchitecture(architecture, major, minor))
        targets.push_back(prefix + form);
    }
  }
  return targets;
}

}  // namespace kiln::nvrtc
