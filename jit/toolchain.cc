#include "jit/toolchain.h"

#include <algorithm>
#include <charconv>

namespace kiln {
namespace {

// Takes the leading number of `version` and the dot behind it.
unsigned takeNumber(std::string_view& version) {
  unsigned number = 0;
  auto dot = std::min(version.find('.'), version.size());
  std::from_chars(version.data(), version.data() + dot, number);
  version.remove_prefix(std::min(dot + 1, version.size()));
  return number;
}

}  // namespace

bool isOlderVersion(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    auto left = takeNumber(a);
    auto right = takeNumber(b);
    if (left != right) return left < right;
  }
  return false;
}

std::shared_ptr<const Toolchain> chooseToolchain(const ToolchainList& toolchains, Language language,
                                                 std::string_view name) {
  std::shared_ptr<const Toolchain> best;
  for (const auto& toolchain : toolchains) {
    if (toolchain->language != language || !toolchain->problem.empty()) continue;
    if (!name.empty() && !isNamed(*toolchain, name)) continue;
    if (best == nullptr || isOlderVersion(best->version, toolchain->version)) best = toolchain;
  }
  return best;
}

std::shared_ptr<const Toolchain> chooseNextToolchain(const ToolchainList& toolchains, Language language,
                                                     std::string_view version, const Target& target) {
  const auto knowsTarget = [&](const Toolchain& one) {
    return std::ranges::find(one.targets, target.name) != one.targets.end();
  };
  std::shared_ptr<const Toolchain> best;
  for (const auto& toolchain : toolchains) {
    if (toolchain->language != language || !toolchain->problem.empty()) continue;
    if (isOlderVersion(toolchain->version, version)) continue;
    if (best == nullptr || knowsTarget(*toolchain) > knowsTarget(*best) ||
        (knowsTarget(*toolchain) == knowsTarget(*best) &&
         isOlderVersion(toolchain->version, best->version))) {
      best = toolchain;
    }
  }
  return best;
}

}  // namespace kiln
