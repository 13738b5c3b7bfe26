#include "jit/dependencies.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace kiln {
namespace {

bool agrees(const Dependency& dependency, const FileState& state) {
  if (dependency.kind != state.kind) return false;
  if (dependency.kind == FileKind::file && dependency.size != state.size) return false;
  return dependency.xxh3 == state.xxh3;
}

}  // namespace

DependencySet normalised(std::vector<Dependency> dependencies) {
  // Stable, so that of two observations of one path the first is kept.
  std::stable_sort(dependencies.begin(), dependencies.end(), [](const Dependency& a, const Dependency& b) {
    return std::tie(a.path, a.kind) < std::tie(b.path, b.kind);
  });
  dependencies.erase(std::unique(dependencies.begin(), dependencies.end(),
                                 [](const Dependency& a, const Dependency& b) {
                                   return a.path == b.path && a.kind == b.kind;
                                 }),
                     dependencies.end());
  std::unordered_map<std::uint32_t, std::uint32_t> numbers;
  for (auto& dependency : dependencies) {
    if (dependency.fileNumber == 0) continue;
    auto next = static_cast<std::uint32_t>(numbers.size() + 1);
    dependency.fileNumber = numbers.try_emplace(dependency.fileNumber, next).first->second;
  }
  return dependencies;
}

std::vector<std::size_t> disagreements(const DependencySet& dependencies, std::span<const FileState> states) {
  std::vector<std::size_t> result;
  std::unordered_map<std::uint32_t, std::uint64_t> identityOf;
  std::unordered_map<std::uint64_t, std::uint32_t> numberOf;
  auto isSameFile = [&](std::uint32_t number, std::uint64_t identity) {
    return identityOf.try_emplace(number, identity).first->second == identity &&
           numberOf.try_emplace(identity, number).first->second == number;
  };
  for (std::size_t i = 0; i < dependencies.size(); ++i) {
    const auto number = dependencies[i].fileNumber;
    const bool fits = i < states.size() && agrees(dependencies[i], states[i]) &&
                      (number == 0 || isSameFile(number, states[i].identity));
    if (!fits) result.push_back(i);
  }
  return result;
}

}  // namespace kiln
