#include "jit/service/toolchain_choice.h"

#include <algorithm>
#include <set>
#include <type_traits>
#include <utility>

namespace kiln {
namespace {

ToolchainList ofLanguage(const ToolchainList& toolchains, Language language) {
  ToolchainList chosen;
  for (const auto& toolchain : toolchains) {
    if (toolchain->language == language) chosen.push_back(toolchain);
  }
  return chosen;
}

constexpr const char* kNoneFound =
    "none was found; install one and run kiln toolchains --rescan, or name its folder under toolchains.paths "
    "in kilnd's configuration, or bring a bundle that has it (kiln warm)";

std::string listing(const ToolchainList& toolchains) {
  if (toolchains.empty()) return kNoneFound;
  std::string text = "there are";
  for (const auto& toolchain : toolchains) {
    text += (toolchain == toolchains.front() ? " \"" : ", \"") + toolchain->name + "\"";
    if (!toolchain->problem.empty()) text += " (cannot be used: " + toolchain->problem + ")";
  }
  return text;
}

// Why none of `toolchains`, all of one language, answers to `name`.
Failure unavailable(const ToolchainList& toolchains, std::string_view what, std::string_view name) {
  const std::string quoted = "\"" + std::string(name) + "\"";
  const auto named = std::find_if(toolchains.begin(), toolchains.end(),
                                  [&](const auto& one) { return isNamed(*one, name); });
  if (named != toolchains.end()) {
    return {FailureKind::toolchainUnavailable,
            "toolchain " + quoted + " (" + (*named)->library + ") cannot be used: " + (*named)->problem};
  }
  const std::string wanted = name.empty() ? "usable toolchain" : "toolchain " + quoted;
  return {FailureKind::toolchainUnavailable,
          "no " + wanted + std::string(what) + " on this node: " + listing(toolchains)};
}

ToolchainChoice<std::shared_ptr<const Toolchain>> choose(const ToolchainList& toolchains, Language language,
                                                         std::string_view name) {
  if (auto chosen = chooseToolchain(toolchains, language, name)) return chosen;
  return std::unexpected(
      unavailable(ofLanguage(toolchains, language), " for " + std::string(kiln::name(language)), name));
}

ToolchainChoice<ToolchainList> chooseForAnyLanguage(const ToolchainList& toolchains, std::string_view name) {
  std::set<Language> languages;
  for (const auto& toolchain : toolchains) languages.insert(toolchain->language);
  ToolchainList chosen;
  for (auto language : languages) {
    if (auto one = chooseToolchain(toolchains, language, name)) chosen.push_back(std::move(one));
  }
  if (chosen.empty()) return std::unexpected(unavailable(toolchains, "", name));
  return chosen;
}

// What the last stage needs to be, apart from the sources.
struct LastStage {
  Language language;
  Target target;
  bool hasOneNumbering;
};

LastStage lastOf(const Stages& stages) {
  return {stages.last.language, stages.last.target, stages.hasOneNumbering};
}

ToolchainChoice<std::shared_ptr<const Toolchain>> chooseLast(const ToolchainList& toolchains,
                                                             const Toolchain& first, const LastStage& last) {
  auto next =
      chooseNextToolchain(toolchains, last.language, last.hasOneNumbering ? first.version : "", last.target);
  if (next == nullptr) {
    const auto all = ofLanguage(toolchains, last.language);
    const bool areTooOld = last.hasOneNumbering && !all.empty();
    return std::unexpected(Failure{FailureKind::toolchainUnavailable,
                                   "no usable toolchain for " + std::string(kiln::name(last.language)) +
                                       " on this node takes what " + first.name + " generates" +
                                       (areTooOld ? ", since none is as new as that: " : ": ") +
                                       listing(all)});
  }
  if (auto fits = checkTarget(last.target, next->targets, next->name); !fits) {
    return std::unexpected(std::move(fits.error()));
  }
  return next;
}

ToolchainChoice<StageToolchains> chooseForStages(const ToolchainList& toolchains, Language first,
                                                 std::string_view name, const LastStage& last) {
  auto chosen = choose(toolchains, first, name);
  if (!chosen) return std::unexpected(std::move(chosen.error()));
  auto next = chooseLast(toolchains, **chosen, last);
  if (!next) return std::unexpected(std::move(next.error()));
  return StageToolchains{std::move(*chosen), std::move(*next)};
}

bool holds(const std::shared_ptr<const Toolchain>& toolchain) { return holds(toolchain->footprint); }

bool holds(const ToolchainList& toolchains) {
  return std::all_of(toolchains.begin(), toolchains.end(), [](const auto& one) { return holds(one); });
}

bool holds(const StageToolchains& toolchains) { return holds(toolchains.first) && holds(toolchains.last); }

// What `chooseFrom` picks from a list that is true to the files of what it picks.
template <typename ChooseFrom>
kj::Promise<std::invoke_result_t<ChooseFrom&, const ToolchainList&>> chooseCurrent(Toolchains& toolchains,
                                                                                   ChooseFrom chooseFrom) {
  auto chosen = chooseFrom(toolchains.list());
  if (toolchains.areCurrent()) return chosen;
  auto refreshed = toolchains.refresh();
  if (chosen && holds(*chosen)) return chosen;
  return refreshed.then(
      [&toolchains, chooseFrom = std::move(chooseFrom)] { return chooseFrom(toolchains.list()); });
}

}  // namespace

kj::Promise<ToolchainChoice<std::shared_ptr<const Toolchain>>> toolchainFor(Toolchains& toolchains,
                                                                            Language language,
                                                                            std::string name) {
  return chooseCurrent(toolchains, [language, name = std::move(name)](const ToolchainList& list) {
    return choose(list, language, name);
  });
}

kj::Promise<ToolchainChoice<StageToolchains>> toolchainsForStages(Toolchains& toolchains, std::string name,
                                                                  const Stages& stages) {
  return chooseCurrent(toolchains,
                       [first = stages.first.language, name = std::move(name), last = lastOf(stages)](
                           const ToolchainList& list) { return chooseForStages(list, first, name, last); });
}

ToolchainChoice<std::shared_ptr<const Toolchain>> lastToolchain(const ToolchainList& toolchains,
                                                                const Toolchain& first,
                                                                const Stages& stages) {
  return chooseLast(toolchains, first, lastOf(stages));
}

kj::Promise<ToolchainChoice<ToolchainList>> toolchainsForAnyLanguage(Toolchains& toolchains,
                                                                     std::string name) {
  return chooseCurrent(toolchains, [name = std::move(name)](const ToolchainList& list) {
    return chooseForAnyLanguage(list, name);
  });
}

}  // namespace kiln
