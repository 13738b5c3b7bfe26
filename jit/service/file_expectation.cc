#include "jit/service/file_expectation.h"

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "jit/role_path.h"

namespace kiln {
namespace {

FileState expectedState(const Dependency& dependency) {
  return {dependency.kind, dependency.size, dependency.xxh3, dependency.fileNumber};
}

// Files of one directory together: a client then finds most of them one step from the last.
struct ByDirectory {
  using Question = std::pair<std::string, FileKind>;

  static auto keyOf(const Question& question) {
    std::string_view path = question.first;
    return std::tuple(path.substr(0, path.rfind('/')), path, question.second);
  }
  bool operator()(const Question& a, const Question& b) const { return keyOf(a) < keyOf(b); }
};

bool areSame(const FileState& a, const FileState& b) {
  return a.kind == b.kind && a.size == b.size && a.xxh3 == b.xxh3 && a.identity == b.identity;
}

}  // namespace

std::optional<FileExpectation> expectationOf(const DependencySet& dependencies, const Names& names) {
  const auto directories = roleDirectories(names);
  std::map<ByDirectory::Question, FileState, ByDirectory> expected;
  for (const auto& dependency : dependencies) {
    auto path = resolve(dependency.path, directories);
    if (path.empty()) return std::nullopt;
    auto state = expectedState(dependency);
    auto [known, isNew] = expected.try_emplace({std::move(path), dependency.kind}, state);
    if (!isNew && !areSame(known->second, state)) return std::nullopt;
  }
  std::vector<DigestQuestion> questions;
  std::vector<std::optional<FileState>> states;
  for (const auto& [question, state] : expected) {
    questions.push_back({question.first, question.second});
    states.emplace_back(state);
  }
  return FileExpectation{std::make_shared<const QuestionList>(makeQuestionList(std::move(questions))),
                         fingerprint(states)};
}

}  // namespace kiln
