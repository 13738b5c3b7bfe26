#include "frontends/process/nested_directories.h"

#include <vector>

#include "jit/role_path.h"
#include "jit/words.h"

namespace kiln {
namespace {

// The first component of the way from `outer` to `inner`; empty if there is none.
std::string_view firstStep(std::string_view outer, std::string_view inner) {
  auto way = inner.substr(outer.size());
  auto start = way.find_first_not_of('/');
  if (start == std::string_view::npos) return {};
  return way.substr(start, way.find('/', start) - start);
}

// The longest run of word characters, the one part of `component` that lines cannot split.
std::string_view longestWord(std::string_view component) {
  std::string_view longest;
  for (std::size_t at = 0; at < component.size();) {
    auto end = at;
    while (end < component.size() && isWordCharacter(component[end])) ++end;
    if (end - at > longest.size()) longest = component.substr(at, end - at);
    at = end + 1;
  }
  return longest;
}

// Whether an include in `text`, or an option, may name a path that begins with `component`.
bool mayBeginName(std::string_view text, std::string_view component) {
  constexpr std::string_view kBeginsName = "\"<=\n";
  const auto word = longestWord(component);
  const bool isWhole = word.size() == component.size();
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    if (!isWhole || at == 0 || kBeginsName.find(text[at - 1]) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

NestedDirectories::NestedDirectories(const Names& names) {
  std::vector<std::string> prefixes = {sourcePrefix(names)};
  for (const auto& directory : names.includeDirectories) prefixes.push_back(includePrefix(directory));
  for (const auto& outer : prefixes) {
    for (const auto& inner : prefixes) {
      // A relative directory is in front of relative spellings alone.
      if (!inner.starts_with(outer) || (outer.empty() && inner.starts_with('/'))) continue;
      auto step = firstStep(outer, inner);
      if (!step.empty()) mentioned_.try_emplace(std::string(step), longestWord(step).empty());
    }
  }
}

void NestedDirectories::read(std::string_view text) {
  for (auto& [component, isMentioned] : mentioned_) {
    isMentioned = isMentioned || mayBeginName(text, component);
  }
}

bool NestedDirectories::isPathFrom(std::string_view outer, std::string_view inner) const {
  auto found = mentioned_.find(firstStep(outer, inner));
  return found == mentioned_.end() || found->second;
}

}  // namespace kiln
