#include "rpc/remote_files.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "jit/service/file_check.h"
#include "rpc/fetched_ahead.h"
#include "rpc/schema/convert.h"

namespace kiln {
namespace {

// How long the compiler waits for what is being fetched ahead before it asks for itself.
constexpr kj::Duration kPatience = 1 * kj::SECONDS;
// How many bytes a client may send beside an answer that the compiler waits for.
constexpr std::uint32_t kAheadOfAnAnswer = 128 << 10;

FileReply failedAnswer(std::string message, int error = EIO) {
  return {{.kind = FileAnswer::Kind::failed, .text = std::move(message), .error = error}};
}

// What an exception of the client's means to the question: an answer, unless the client is gone.
kj::Promise<FileReply> answerFor(kj::Exception&& exception) {
  if (exception.getType() == kj::Exception::Type::DISCONNECTED) return kj::mv(exception);
  return failedAnswer("the client could not answer: " + std::string(exception.getDescription().cStr()));
}

template <typename Response>
FileReply onlyAnswer(Response&& response) {
  return {convert::read(response.getAnswer())};
}

// The kinds that have a digest; for the others it is nothing but what is there that counts.
bool hasDigest(FileKind kind) {
  return kind == FileKind::file || kind == FileKind::listing || kind == FileKind::link ||
         kind == FileKind::resolved;
}

FileState readState(schema::FileDigest::Reader reader) {
  if (reader.getKind() < static_cast<unsigned>(FileKind::absent) ||
      reader.getKind() > static_cast<unsigned>(FileKind::other)) {
    return kUnknownFileState;
  }
  FileState state{static_cast<FileKind>(reader.getKind()), reader.getSize(), {}, reader.getIdentity()};
  // A client gives no digest of what is of another kind than it was asked after; none is that of nothing.
  if (!hasDigest(state.kind) || reader.getXxh3().size() == 0) return state;
  auto digest = Hash128::fromBytes(convert::bytes(reader.getXxh3()));
  if (!digest) return kUnknownFileState;
  state.xxh3 = *digest;
  return state;
}

// Digests that are too few or too many cannot be told apart by their questions.
std::vector<FileState> readStates(capnp::List<schema::FileDigest>::Reader digests, std::size_t questions) {
  std::vector<FileState> states(questions, kUnknownFileState);
  if (digests.size() != questions) return states;
  for (unsigned i = 0; i < questions; ++i) states[i] = readState(digests[i]);
  return states;
}

void write(capnp::List<schema::DigestQuestion>::Builder builder,
           const std::vector<DigestQuestion>& questions) {
  for (unsigned i = 0; i < questions.size(); ++i) {
    builder[i].setPath(convert::toText(questions[i].path));
    builder[i].setKind(static_cast<std::uint8_t>(questions[i].kind));
  }
}

class RemoteFiles final : public ClientFiles {
 public:
  RemoteFiles(schema::FileSource::Client source, FileTimeLimit timeLimit)
      : source_(kj::mv(source)), timeLimit_(timeLimit) {}

  kj::Promise<FileReply> answer(FileQuestion question) override {
    auto answered = question.kind == FileQuestion::Kind::look ? answerLook(std::move(question.path))
                                                              : ask(question.kind, question.path);
    return answered.catch_([](kj::Exception&& exception) { return answerFor(kj::mv(exception)); })
        .exclusiveJoin(whenTimeIsUp().then(
            [limit = timeLimit_.limit] { return failedAnswer(noAnswer(limit), ETIMEDOUT); }));
  }

  kj::Promise<std::vector<FileState>> digests(std::vector<DigestQuestion> questions) override {
    auto call = source_.digestsRequest();
    write(call.initPaths(questions.size()), questions);
    auto count = questions.size();
    return call.send()
        .then([count](capnp::Response<schema::FileSource::DigestsResults>&& response) {
          return readStates(response.getDigests(), count);
        })
        .catch_([count](kj::Exception&& exception) -> kj::Promise<std::vector<FileState>> {
          if (exception.getType() == kj::Exception::Type::DISCONNECTED) return kj::mv(exception);
          return std::vector<FileState>(count, kUnknownFileState);
        })
        .exclusiveJoin(
            whenTimeIsUp().then([count] { return std::vector<FileState>(count, kUnknownFileState); }));
  }

  kj::Promise<kj::Maybe<Fingerprint>> fingerprint(
      std::shared_ptr<const QuestionList> list,
      std::shared_ptr<const std::vector<KnownContent>> hints) override {
    auto call = source_.fingerprintRequest();
    call.setList(convert::toData(list->id.view()));
    return call.send()
        .then([this, list = std::move(list),
               hints = std::move(hints)](auto&& response) -> kj::Promise<kj::Maybe<Fingerprint>> {
          if (response.getIsKnown()) return readFingerprint(response);
          return sendList(*list, *hints);
        })
        .catch_([](kj::Exception&& exception) -> kj::Promise<kj::Maybe<Fingerprint>> {
          if (exception.getType() == kj::Exception::Type::DISCONNECTED) return kj::mv(exception);
          return kj::Maybe<Fingerprint>(nullptr);
        })
        .exclusiveJoin(whenTimeIsUp().then([] { return kj::Maybe<Fingerprint>(nullptr); }));
  }

 private:
  kj::Promise<void> whenTimeIsUp() { return timeLimit_.timer.afterDelay(timeLimit_.limit); }

  static std::string noAnswer(kj::Duration limit) {
    return "it gave no answer within " + std::to_string(limit / kj::SECONDS) +
           " s (file_timeout_seconds in kilnd's configuration); see what keeps the client, or its file "
           "system, from answering";
  }

  kj::Promise<kj::Maybe<Fingerprint>> sendList(const QuestionList& list,
                                               const std::vector<KnownContent>& hints) {
    auto call = source_.fingerprintRequest();
    call.setList(convert::toData(list.id.view()));
    write(call.initQuestions(list.questions.size()), list.questions);
    convert::write(call.initHints(hints.size()), hints);
    return call.send().then([](auto&& response) { return readFingerprint(response); });
  }

  static kj::Maybe<Fingerprint> readFingerprint(schema::FileSource::FingerprintResults::Reader results) {
    auto value = Hash128::fromBytes(convert::bytes(results.getFingerprint()));
    if (!results.getIsKnown() || !value) return nullptr;
    return Fingerprint{*value, convert::read(results.getRead())};
  }

  kj::Promise<FileReply> ask(FileQuestion::Kind kind, const std::string& path) {
    switch (kind) {
      case FileQuestion::Kind::look:
        return look(path);
      case FileQuestion::Kind::list: {
        auto call = source_.listRequest();
        call.setPath(convert::toText(path));
        return call.send().then([](auto&& response) { return onlyAnswer(response); });
      }
      case FileQuestion::Kind::readLink: {
        auto call = source_.readLinkRequest();
        call.setPath(convert::toText(path));
        return call.send().then([](auto&& response) { return onlyAnswer(response); });
      }
      case FileQuestion::Kind::resolve:
        break;
    }
    auto call = source_.resolveRequest();
    call.setPath(convert::toText(path));
    return call.send().then([](auto&& response) { return onlyAnswer(response); });
  }

  kj::Promise<FileReply> answerLook(std::string path) {
    auto late = timeLimit_.timer.afterDelay(std::min(timeLimit_.limit / 4, kPatience)).then([] {
      return kj::Maybe<FileReply>(nullptr);
    });
    return ahead_.find(path)
        .exclusiveJoin(kj::mv(late))
        .then([this, path = std::move(path)](kj::Maybe<FileReply>&& found) -> kj::Promise<FileReply> {
          KJ_IF_MAYBE (reply, found) return std::move(*reply);
          return look(path).then([this](FileReply&& reply) {
            ahead_.addTo(reply);
            return std::move(reply);
          });
        });
  }

  kj::Promise<FileReply> look(const std::string& path) {
    auto call = source_.lookRequest();
    call.initPaths(1).set(0, convert::toText(path));
    call.setAheadLimit(kAheadOfAnAnswer);
    return call.send().then([](capnp::Response<schema::FileSource::LookResults>&& response) {
      auto answers = response.getAnswers();
      if (answers.size() == 1) {
        return FileReply{convert::read(answers[0]), convert::read(response.getAhead())};
      }
      return failedAnswer("the client gave " + std::to_string(answers.size()) + " answers to one question");
    });
  }

  schema::FileSource::Client source_;
  FetchedAhead ahead_{source_};
  const FileTimeLimit timeLimit_;
};

}  // namespace

kj::Own<ClientFiles> makeRemoteFiles(schema::FileSource::Client source, FileTimeLimit timeLimit) {
  return kj::refcounted<RemoteFiles>(kj::mv(source), timeLimit);
}

}  // namespace kiln
