#include "jit/target.h"

#include <algorithm>
#include <optional>

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

// "gfx90a", "gfx1100", "gfx9-4-generic".
bool isProcessor(std::string_view text) {
  constexpr std::string_view kPrefix = "gfx";
  if (!text.starts_with(kPrefix) || text.size() == kPrefix.size()) return false;
  text.remove_prefix(kPrefix.size());
  return isDigit(text.front()) && std::all_of(text.begin(), text.end(), [](char c) {
           return isDigit(c) || c == '-' || (c >= 'a' && c <= 'z');
         });
}

// "sramecc+": a name and whether it is on.
bool isFeature(std::string_view text) {
  if (text.size() < 2 || (text.back() != '+' && text.back() != '-')) return false;
  text.remove_suffix(1);
  return std::all_of(text.begin(), text.end(), [](char c) { return isDigit(c) || (c >= 'a' && c <= 'z'); });
}

// A processor and its features, these in alphabetical order and none twice.
std::optional<std::string> canonicalAmdName(std::string_view text) {
  auto end = std::min(text.find(':'), text.size());
  std::string name(text.substr(0, end));
  if (!isProcessor(name)) return std::nullopt;
  std::vector<std::string_view> features;
  while (end < text.size()) {
    text.remove_prefix(end + 1);
    end = std::min(text.find(':'), text.size());
    if (!isFeature(text.substr(0, end))) return std::nullopt;
    features.push_back(text.substr(0, end));
  }
  std::sort(features.begin(), features.end());
  auto areOneFeature = [](std::string_view a, std::string_view b) {
    return a.substr(0, a.size() - 1) == b.substr(0, b.size() - 1);
  };
  if (std::adjacent_find(features.begin(), features.end(), areOneFeature) != features.end()) {
    return std::nullopt;
  }
  for (auto feature : features) name.append(":").append(feature);
  return name;
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
  if (auto name = canonicalAmdName(text)) return Target{Target::Kind::amd, std::move(*name)};
  return std::unexpected(
      Failure{FailureKind::unsupportedTarget,
              "'" + std::string(text) +
                  "' is not a target; give an architecture such as sm_90, sm_90a, sm_100f or "
                  "gfx90a:sramecc+:xnack- (machine code), each feature once, or compute_90 (PTX)"});
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
