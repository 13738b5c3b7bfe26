#include "jit/target.h"

#include <algorithm>
#include <array>
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

// The 64-bit x86 processors of LLVM 22 and the levels of the psABI, each by one name.
constexpr std::array<std::string_view, 53> kHostProcessors = {
    "x86-64",        "x86-64-v2",        "x86-64-v3",       "x86-64-v4",      "k8",          "amdfam10",
    "btver1",        "btver2",           "bdver1",          "bdver2",         "bdver3",      "bdver4",
    "znver1",        "znver2",           "znver3",          "znver4",         "znver5",      "nocona",
    "core2",         "penryn",           "nehalem",         "westmere",       "sandybridge", "ivybridge",
    "haswell",       "broadwell",        "skylake",         "skylake-avx512", "cascadelake", "cooperlake",
    "cannonlake",    "icelake-client",   "icelake-server",  "rocketlake",     "tigerlake",   "sapphirerapids",
    "emeraldrapids", "graniterapids",    "graniterapids-d", "diamondrapids",  "alderlake",   "raptorlake",
    "meteorlake",    "arrowlake",        "arrowlake-s",     "lunarlake",      "pantherlake", "sierraforest",
    "grandridge",    "clearwaterforest", "silvermont",      "goldmont",       "tremont"};

bool isHostProcessor(std::string_view text) {
  return std::find(kHostProcessors.begin(), kHostProcessors.end(), text) != kHostProcessors.end();
}

// "sramecc+": a name and whether it is on.
bool isFeature(std::string_view text) {
  if (text.size() < 2 || (text.back() != '+' && text.back() != '-')) return false;
  text.remove_suffix(1);
  return std::all_of(text.begin(), text.end(), [](char c) {
    return isDigit(c) || c == '.' || c == '-' || c == '_' || (c >= 'a' && c <= 'z');
  });
}

TargetParts split(std::string_view text) {
  auto end = std::min(text.find(':'), text.size());
  TargetParts parts{text.substr(0, end), {}};
  while (end < text.size()) {
    text.remove_prefix(end + 1);
    end = std::min(text.find(':'), text.size());
    parts.features.push_back(text.substr(0, end));
  }
  return parts;
}

// A processor and its features, these in alphabetical order and none twice.
std::optional<std::string> canonicalName(TargetParts parts) {
  auto& features = parts.features;
  if (!std::all_of(features.begin(), features.end(), isFeature)) return std::nullopt;
  std::sort(features.begin(), features.end());
  auto areOneFeature = [](std::string_view a, std::string_view b) {
    return a.substr(0, a.size() - 1) == b.substr(0, b.size() - 1);
  };
  if (std::adjacent_find(features.begin(), features.end(), areOneFeature) != features.end()) {
    return std::nullopt;
  }
  std::string name(parts.processor);
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
  const auto parts = split(text);
  const bool isAmd = isProcessor(parts.processor);
  if (isAmd || isHostProcessor(parts.processor)) {
    if (auto name = canonicalName(parts)) {
      return Target{isAmd ? Target::Kind::amd : Target::Kind::host, std::move(*name)};
    }
  }
  if (text == kHost) {
    return std::unexpected(
        Failure{FailureKind::unsupportedTarget,
                "'host' is the processor of whoever asks, and says nothing to kilnd; libkiln puts its name "
                "there: give a processor such as x86-64-v3"});
  }
  return std::unexpected(
      Failure{FailureKind::unsupportedTarget,
              "'" + std::string(text) +
                  "' is not a target; give an architecture such as sm_90, sm_90a, sm_100f or "
                  "gfx90a:sramecc+:xnack- (machine code), each feature once, compute_90 (PTX), or "
                  "a processor such as x86-64-v3, or host"});
}

TargetParts partsOf(const Target& target) { return split(target.name); }

std::string shortName(const Target& target) {
  constexpr std::size_t kFew = 4;
  const auto parts = partsOf(target);
  if (parts.features.size() <= kFew) return target.name;
  return std::string(parts.processor) + " (" + std::to_string(parts.features.size()) + " features)";
}

std::expected<void, Failure> checkTarget(const Target& target, const std::vector<std::string>& targets,
                                         std::string_view compiler) {
  const bool isHost = target.kind == Target::Kind::host;
  const auto asked = isHost ? partsOf(target).processor : std::string_view(target.name);
  if (std::find(targets.begin(), targets.end(), asked) != targets.end()) return {};
  std::string list;
  for (const auto& known : targets) list += (list.empty() ? "" : ", ") + known;
  return std::unexpected(
      Failure{FailureKind::unsupportedTarget,
              std::string(compiler) + " does not compile for " + std::string(asked) + "; it knows " + list});
}

}  // namespace kiln
