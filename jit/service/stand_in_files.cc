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

  kj::Promise<FileAnswer> answer(FileQuestion question) override {
    auto kind = question.kind;
    auto path = paths_.toAsker(question.path);
    bool isTranslated = path != question.path;
    question.path = std::move(path);
    return files_->answer(std::move(question)).then([this, kind, isTranslated](FileAnswer&& answer) {
      if (isTranslated && namesAPath(kind, answer.kind))
        answer.text = paths_.toCompile(std::move(answer.text));
      return std::move(answer);
    });
  }

  kj::Promise<std::vector<FileState>> digests(std::vector<DigestQuestion> questions) override {
    return files_->digests(std::move(questions));
  }

 private:
  kj::Own<ClientFiles> files_;
  const StandInPaths paths_;
};

}  // namespace

kj::Own<ClientFiles> underStandIn(kj::Own<ClientFiles> files, StandInPaths paths) {
  if (!paths) return files;
  return kj::refcounted<FilesUnderStandIn>(kj::mv(files), std::move(paths));
}

}  // namespace kiln
