#include "jit/target.h"

#include <algorithm>

#include "jit/words.h"

namespace kiln {
namespace {

// NN or NNN, then nothing, 'a' (architecture-specific) or 'f' (family-specific).
bool isArchitectureNumber(std::string_view text) {
  if (!text.empty() && (text.back() == 'a' || text.back() == 'f')) text.remove_suffix(1);
  if (text.size() < 2 || text.size() > 3 || text.front() == '0') return false;
  for (char c : text) {
    if (!isDigit(c)) return false;
  }
  return true;
}

}  // namespace

std::expected<Target, Failure> parseTarget(std::string_view text) {
  constexpr std::string_view kReal = "sm_";
  constexpr std::string_view kVirtual = "compute_";
  if (text.starts_with(kReal) && isArchitectureNumber(text.substr(kReal.size()))) {
    return Target{Target::Kind::nvidiaReal, std::string(text)};
  }
  if (text.starts_with(kVirtual) && isArchitectureNumber(text.substr(kVirtual.size()))) {
    return Target{Target::Kind::nvidiaVirtual, std::string(text)};
  }
  return std::unexpected(
      Failure{FailureKind::unsupportedTarget, "'" + std::string(text) +
                                                  "' is not a target; give an architecture such as sm_90, "
                                                  "sm_90a, sm_100f (machine code) or compute_90 (PTX)"});
}

std::expected<void, Failure> checkTarget(const Target& target, const std::vector<std::string>& targets,
                                         std::string_view compiler) {
  if (std::find(targets.begin(), targets.end(), target.name) != targets.end()) return {};
  std::string list;
  for (const auto& known : targets) list += (list.empty() ? "" : ", ") + known;
  return std::unexpected(
      Failure{FailureKind::unsupportedTarget,
              std::string(compiler) + " does not compile for " + target.name + "; it knows " + list});
}

}  // namespace kiln
