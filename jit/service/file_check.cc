#include "jit/service/file_check.h"

#include <map>
#include <utility>

namespace kiln {
namespace {

constexpr std::size_t kNoQuestion = static_cast<std::size_t>(-1);

// The questions for several dependency sets, each asked once, and where each dependency finds its answer.
struct Questionnaire {
  std::vector<DigestQuestion> questions;
  std::vector<std::vector<std::size_t>> answerOf;  // by set, by dependency
};

Questionnaire questionsFor(const std::vector<DependencySet>& sets, const Names& names) {
  Questionnaire result;
  const auto directories = roleDirectories(names);
  std::map<std::pair<std::string, FileKind>, std::size_t> known;
  for (const auto& set : sets) {
    auto& answers = result.answerOf.emplace_back();
    answers.reserve(set.size());
    for (const auto& dependency : set) {
      auto path = resolve(dependency.path, directories);
      if (path.empty()) {
        answers.push_back(kNoQuestion);
        continue;
      }
      auto [at, isNew] = known.try_emplace({path, dependency.kind}, result.questions.size());
      if (isNew) result.questions.push_back({std::move(path), dependency.kind});
      answers.push_back(at->second);
    }
  }
  return result;
}

std::vector<FileCheck> evaluate(const std::vector<DependencySet>& sets,
                                const std::vector<std::vector<std::size_t>>& answerOf,
                                const std::vector<FileState>& answers) {
  std::vector<FileCheck> checks;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    auto& check = checks.emplace_back();
    for (auto at : answerOf[i]) {
      check.states.push_back(at < answers.size() ? answers[at] : kUnknownFileState);
    }
    check.disagreements = disagreements(sets[i], check.states);
  }
  return checks;
}

}  // namespace

kj::Promise<std::vector<FileCheck>> checkFiles(std::vector<DependencySet> sets, const Names& names,
                                               ClientFiles& files) {
  auto asked = questionsFor(sets, names);
  if (asked.questions.empty()) return evaluate(sets, asked.answerOf, {});
  return files.digests(std::move(asked.questions))
      .then([sets = std::move(sets), answerOf = std::move(asked.answerOf)](std::vector<FileState>&& answers) {
        return evaluate(sets, answerOf, answers);
      })
      .attach(files.addRef());
}

}  // namespace kiln
