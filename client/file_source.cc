#include "client/file_source.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "rpc/schema/convert.h"

namespace kiln::client {
namespace {

// Fewer questions than this are not worth another worker.
constexpr std::size_t kSmallestPart = 64;

void write(schema::FileDigest::Builder builder, const std::optional<FileState>& state) {
  if (!state) return;
  builder.setKind(static_cast<std::uint8_t>(state->kind));
  builder.setSize(state->size);
  if (!state->xxh3.isZero()) builder.setXxh3(convert::toData(state->xxh3.view()));
  builder.setIdentity(state->identity);
}

std::vector<DigestQuestion> read(capnp::List<schema::DigestQuestion>::Reader reader) {
  std::vector<DigestQuestion> questions;
  questions.reserve(reader.size());
  for (auto question : reader) {
    questions.push_back(
        {std::string(convert::text(question.getPath())), static_cast<FileKind>(question.getKind())});
  }
  return questions;
}

struct Looked {
  std::vector<FileAnswer> answers;
  std::vector<AheadAnswer> ahead;
};

}  // namespace

FileSource::FileSource(WorkerPool& workers, std::shared_ptr<const FileView> reader,
                       std::shared_ptr<FilesAhead> ahead, Memory memory)
    : workers_(workers), reader_(std::move(reader)), ahead_(std::move(ahead)), memory_(std::move(memory)) {}

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
  auto list = std::make_shared<QuestionList>();
  list->questions = read(context.getParams().getPaths());
  context.releaseParams();
  context.allowCancellation();
  return digestsOf(std::move(list)).then([context](FileView::Digests&& found) mutable {
    auto digests = context.getResults().initDigests(found.states.size());
    for (unsigned i = 0; i < found.states.size(); ++i) write(digests[i], found.states[i]);
  });
}

kj::Promise<void> FileSource::fingerprint(FingerprintContext context) {
  auto params = context.getParams();
  auto id = Hash128::fromBytes(convert::bytes(params.getList()));
  std::shared_ptr<const QuestionList> list;
  if (params.hasQuestions()) {
    list = std::make_shared<const QuestionList>(makeQuestionList(read(params.getQuestions())));
    memory_.lists->keep(list);
  } else if (id) {
    list = memory_.lists->find(*id);
  }
  for (const auto& hint : convert::read(params.getHints())) memory_.digests->insert(hint.stamp, hint.xxh3);
  context.releaseParams();
  context.allowCancellation();
  if (list == nullptr) return kj::READY_NOW;
  return digestsOf(std::move(list)).then([context](FileView::Digests&& found) mutable {
    auto results = context.getResults();
    results.setIsKnown(true);
    auto digest = kiln::fingerprint(found.states);
    results.setFingerprint(convert::toData(digest.view()));
    convert::write(results.initRead(found.read.size()), found.read);
  });
}

kj::Promise<FileView::Digests> FileSource::digestsOf(std::shared_ptr<const QuestionList> list) {
  using Digests = FileView::Digests;
  const auto count = list->questions.size();
  const auto each = std::max(kSmallestPart, (count + workers_.size() - 1) / workers_.size());
  kj::Vector<kj::Promise<Digests>> parts;
  for (std::size_t first = 0; first < count || first == 0; first += each) {
    parts.add(workers_.run([reader = reader_, list, first, each] {
      std::span<const DigestQuestion> questions(list->questions);
      return reader->digests(questions.subspan(first, std::min(each, questions.size() - first)));
    }));
  }
  return kj::joinPromises(parts.releaseAsArray()).then([](kj::Array<Digests>&& found) {
    Digests all;
    for (auto& part : found) {
      std::move(part.states.begin(), part.states.end(), std::back_inserter(all.states));
      all.read.insert(all.read.end(), part.read.begin(), part.read.end());
    }
    return all;
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

kj::Promise<void> FileSource::list(ListContext context) { return answerOne(context, &FileView::list); }
kj::Promise<void> FileSource::readLink(ReadLinkContext context) {
  return answerOne(context, &FileView::readLink);
}
kj::Promise<void> FileSource::resolve(ResolveContext context) {
  return answerOne(context, &FileView::resolve);
}

}  // namespace kiln::client
