#include "jit/service/toolchain_choice.h"

#include <algorithm>
#include <set>
#include <string>

namespace kiln {
namespace {

bool isNamed(const Toolchain& toolchain, std::string_view name) {
  return name == toolchain.name || name == toolchain.frontend;
}

std::string listing(const std::vector<const Toolchain*>& toolchains) {
  if (toolchains.empty()) return "none was found; install one, or tell kilnd where to look for it";
  std::string text = "there are";
  for (const auto* toolchain : toolchains) {
    text += (toolchain == toolchains.front() ? " \"" : ", \"") + toolchain->name + "\"";
    if (!toolchain->problem.empty()) text += " (cannot be used: " + toolchain->problem + ")";
  }
  return text;
}

// Why none of `toolchains`, all of one language, answers to `name`.
Failure unavailable(const std::vector<const Toolchain*>& toolchains, std::string_view what,
                    std::string_view name) {
  const std::string quoted = "\"" + std::string(name) + "\"";
  const auto named = std::find_if(toolchains.begin(), toolchains.end(),
                                  [&](const Toolchain* one) { return isNamed(*one, name); });
  if (named != toolchains.end()) {
    return {FailureKind::toolchainUnavailable,
            "toolchain " + quoted + " (" + (*named)->library + ") cannot be used: " + (*named)->problem};
  }
  const std::string wanted = name.empty() ? "usable toolchain" : "toolchain " + quoted;
  return {FailureKind::toolchainUnavailable,
          "no " + wanted + std::string(what) + " on this node: " + listing(toolchains)};
}

}  // namespace

std::expected<const Toolchain*, Failure> toolchainFor(const std::vector<Toolchain>& toolchains,
                                                      Language language, std::string_view name) {
  if (const auto* chosen = chooseToolchain(toolchains, language, name)) return chosen;
  std::vector<const Toolchain*> ofLanguage;
  for (const auto& toolchain : toolchains) {
    if (toolchain.language == language) ofLanguage.push_back(&toolchain);
  }
  return std::unexpected(unavailable(ofLanguage, " for " + std::string(kiln::name(language)), name));
}

std::expected<std::vector<const Toolchain*>, Failure> toolchainsForAnyLanguage(
    const std::vector<Toolchain>& toolchains, std::string_view name) {
  std::set<Language> languages;
  std::vector<const Toolchain*> all;
  for (const auto& toolchain : toolchains) {
    languages.insert(toolchain.language);
    all.push_back(&toolchain);
  }
  std::vector<const Toolchain*> chosen;
  for (auto language : languages) {
    if (const auto* one = chooseToolchain(toolchains, language, name)) chosen.push_back(one);
  }
  if (chosen.empty()) return std::unexpected(unavailable(all, "", name));
  return chosen;
}

}  // namespace kiln
