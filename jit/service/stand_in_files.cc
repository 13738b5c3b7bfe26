#include "jit/service/stand_in_files.h"

#include <utility>

namespace kiln {
namespace {

bool namesAPath(FileQuestion::Kind question, FileAnswer::Kind answer) {
  return answer == FileAnswer::Kind::absent ||
         (answer == FileAnswer::Kind::text && question == FileQuestion::Kind::resolve);
}

class FilesUnderStandIn final : public ClientFiles {
 public:
  FilesUnderStandIn(kj::Own<ClientFiles> files, StandInPaths paths)
      : files_(kj::mv(files)), paths_(std::move(paths)) {}

  kj::Promise<FileReply> answer(FileQuestion question) override {
    auto kind = question.kind;
    auto path = paths_.toAsker(question.path);
    bool isTranslated = path != question.path;
    question.path = std::move(path);
    return files_->answer(std::move(question)).then([this, kind, isTranslated](FileReply&& reply) {
      auto& answer = reply.answer;
      if (isTranslated && namesAPath(kind, answer.kind))
        answer.text = paths_.toCompile(std::move(answer.text));
      addTranslations(reply.ahead);
      return std::move(reply);
    });
  }

  kj::Promise<std::vector<FileState>> digests(std::vector<DigestQuestion> questions) override {
    return files_->digests(std::move(questions));
  }

  kj::Promise<kj::Maybe<Fingerprint>> fingerprint(
      std::shared_ptr<const QuestionList> list,
      std::shared_ptr<const std::vector<KnownContent>> hints) override {
    return files_->fingerprint(std::move(list), std::move(hints));
  }

 private:
  // What was sent ahead may be asked for by either path: the source's directory may be an include directory
  // too.
  void addTranslations(std::vector<AheadAnswer>& ahead) const {
    for (std::size_t i = 0, count = ahead.size(); i < count; ++i) {
      auto path = paths_.toCompile(ahead[i].path);
      if (path == ahead[i].path) continue;
      auto answer = ahead[i].answer;
      if (namesAPath(FileQuestion::Kind::look, answer.kind))
        answer.text = paths_.toCompile(std::move(answer.text));
      ahead.push_back({std::move(path), std::move(answer)});
    }
  }

  kj::Own<ClientFiles> files_;
  const StandInPaths paths_;
};

}  // namespace

kj::Own<ClientFiles> underStandIn(kj::Own<ClientFiles> files, StandInPaths paths) {
  if (!paths) return files;
  return kj::refcounted<FilesUnderStandIn>(kj::mv(files), std::move(paths));
}

}  // namespace kiln
