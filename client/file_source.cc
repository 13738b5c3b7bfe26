#include "client/file_source.h"

#include "rpc/schema/convert.h"

namespace kiln::client {
namespace {

void write(schema::FileDigest::Builder builder, const std::optional<FileState>& state) {
  if (!state) return;
  builder.setKind(static_cast<std::uint8_t>(state->kind));
  builder.setSize(state->size);
  if (!state->xxh3.isZero()) builder.setXxh3(convert::toData(state->xxh3.view()));
  builder.setIdentity(state->identity);
}

struct Looked {
  std::vector<FileAnswer> answers;
  std::vector<AheadAnswer> ahead;
};

}  // namespace

FileSource::FileSource(WorkerPool& workers, std::shared_ptr<const FileReader> reader,
                       std::shared_ptr<FilesAhead> ahead)
    : workers_(workers), reader_(std::move(reader)), ahead_(std::move(ahead)) {}

kj::Promise<void> FileSource::look(LookContext context) {
  std::vector<std::string> paths;
  for (auto path : context.getParams().getPaths()) paths.emplace_back(convert::text(path));
  auto aheadLimit = context.getParams().getAheadLimit();
  context.releaseParams();
  context.allowCancellation();
  return workers_
      .run([reader = reader_, ahead = ahead_, paths = std::move(paths), aheadLimit] {
        Looked looked;
        for (const auto& path : paths) {
          looked.answers.push_back(reader->look(path));
          if (aheadLimit > 0) ahead->noteAsked(path, looked.answers.back());
        }
        if (aheadLimit > 0) looked.ahead = ahead->next(aheadLimit);
        return looked;
      })
      .then([context](Looked looked) mutable {
        auto results = context.getResults();
        auto list = results.initAnswers(looked.answers.size());
        for (unsigned i = 0; i < looked.answers.size(); ++i) convert::write(list[i], looked.answers[i]);
        convert::write(results.initAhead(looked.ahead.size()), looked.ahead);
      });
}

kj::Promise<void> FileSource::digests(DigestsContext context) {
  std::vector<DigestQuestion> questions;
  for (auto question : context.getParams().getPaths()) {
    questions.push_back(
        {std::string(convert::text(question.getPath())), static_cast<FileKind>(question.getKind())});
  }
  context.releaseParams();
  context.allowCancellation();
  return workers_
      .run([reader = reader_, questions = std::move(questions)] {
        std::vector<std::optional<FileState>> states;
        for (const auto& question : questions) states.push_back(reader->digest(question));
        return states;
      })
      .then([context](std::vector<std::optional<FileState>> states) mutable {
        auto list = context.getResults().initDigests(states.size());
        for (unsigned i = 0; i < states.size(); ++i) write(list[i], states[i]);
      });
}

template <typename Context>
kj::Promise<void> FileSource::answerOne(Context context, Question question) {
  std::string path(convert::text(context.getParams().getPath()));
  context.releaseParams();
  context.allowCancellation();
  return workers_
      .run([reader = reader_, path = std::move(path), question] { return ((*reader).*question)(path); })
      .then([context](FileAnswer answer) mutable {
        convert::write(context.getResults().initAnswer(), answer);
      });
}

kj::Promise<void> FileSource::list(ListContext context) { return answerOne(context, &FileReader::list); }
kj::Promise<void> FileSource::readLink(ReadLinkContext context) {
  return answerOne(context, &FileReader::readLink);
}
kj::Promise<void> FileSource::resolve(ResolveContext context) {
  return answerOne(context, &FileReader::resolve);
}

}  // namespace kiln::client
