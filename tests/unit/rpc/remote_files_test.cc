#include "rpc/remote_files.h"

#include <kj/async-io.h>
#include <kj/debug.h>
#include <kj/timer.h>

#include <catch2/catch.hpp>

#include "jit/service/file_check.h"
#include "rpc/schema/convert.h"

using namespace kiln;

namespace {

enum class Mood { tooFew, wrongSize, noDigest, unknownKind, failing, gone, silent, right };

// A client that answers as it should, or in one of the ways in which it should not.
class MoodyFileSource final : public schema::FileSource::Server {
 public:
  explicit MoodyFileSource(Mood mood) : mood_(mood) {}

 protected:
  kj::Promise<void> look(LookContext context) override {
    throwIfAsked();
    if (mood_ == Mood::silent) return kj::NEVER_DONE;
    auto answers = context.getResults().initAnswers(mood_ == Mood::tooFew ? 0 : 1);
    if (mood_ != Mood::tooFew) answers[0].setFile(convert::toData("content"));
    return kj::READY_NOW;
  }

  kj::Promise<void> digests(DigestsContext context) override {
    throwIfAsked();
    if (mood_ == Mood::silent) return kj::NEVER_DONE;
    auto count = context.getParams().getPaths().size();
    auto digests = context.getResults().initDigests(mood_ == Mood::tooFew ? count - 1 : count);
    for (auto digest : digests) {
      digest.setKind(mood_ == Mood::unknownKind ? 99 : static_cast<std::uint8_t>(FileKind::file));
      if (mood_ == Mood::noDigest) continue;
      auto value = xxh3("content");
      auto bytes = convert::toData(value.view());
      digest.setXxh3(mood_ == Mood::wrongSize ? bytes.slice(0, 8) : bytes);
    }
    return kj::READY_NOW;
  }

  kj::Promise<void> fingerprint(FingerprintContext context) override {
    throwIfAsked();
    auto params = context.getParams();
    ++fingerprintCalls;
    if (mood_ == Mood::unknownKind || (!params.hasQuestions() && fingerprintCalls == 1)) return kj::READY_NOW;
    context.getResults().setIsKnown(true);
    context.getResults().setRead(params.getHints());
    auto value = xxh3("fingerprint");
    auto bytes = convert::toData(value.view());
    context.getResults().setFingerprint(mood_ == Mood::wrongSize ? bytes.slice(0, 8) : bytes);
    return kj::READY_NOW;
  }

  kj::Promise<void> readLink(ReadLinkContext context) override {
    context.getResults().initAnswer().setText("target");
    return kj::READY_NOW;
  }

 private:
  void throwIfAsked() const {
    if (mood_ == Mood::failing) kj::throwFatalException(KJ_EXCEPTION(FAILED, "a bad day"));
    if (mood_ == Mood::gone) kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "gone"));
  }

  Mood mood_;
  int fingerprintCalls = 0;
};

const RolePath kPath{FileRole::absolute, 0, "/a"};
constexpr auto kLimit = 7 * kj::SECONDS;

struct Asked {
  explicit Asked(Mood mood) : files(makeRemoteFiles(kj::heap<MoodyFileSource>(mood), {timer, kLimit})) {}

  FileAnswer look() { return files->answer({FileQuestion::Kind::look, "/a"}).wait(io.waitScope).answer; }
  std::vector<FileState> digests() {
    return files->digests({{"/a", FileKind::file}, {"/b", FileKind::file}}).wait(io.waitScope);
  }

  std::optional<Hash128> fingerprint() {
    auto list = std::make_shared<const QuestionList>(makeQuestionList({{"/a", FileKind::file}}));
    const std::vector<KnownContent> hints{{{1, 2, 3, -4, 5}, xxh3("hint")}};
    auto found =
        files->fingerprint(list, std::make_shared<const std::vector<KnownContent>>(hints)).wait(io.waitScope);
    KJ_IF_MAYBE (fingerprint, found) {
      // The stand-in has read what it was given.
      if (!fingerprint->read.empty()) CHECK(fingerprint->read == hints);
      return fingerprint->value;
    }
    return std::nullopt;
  }

  kj::AsyncIoContext io = kj::setupAsyncIo();
  kj::TimerImpl timer{kj::origin<kj::TimePoint>()};  // a clock that a test moves
  kj::Own<ClientFiles> files;
};

}  // namespace

TEST_CASE("a client's answers and digests arrive as it gave them") {
  Asked asked(Mood::right);
  CHECK(asked.look().text == "content");
  auto states = asked.digests();
  REQUIRE(states.size() == 2);
  CHECK(states[0].kind == FileKind::file);
  CHECK(states[0].xxh3 == xxh3("content"));
  auto link = asked.files->answer({FileQuestion::Kind::readLink, "/l"}).wait(asked.io.waitScope).answer;
  CHECK(link.kind == FileAnswer::Kind::text);
  CHECK(link.text == "target");
}

TEST_CASE("a client's exception is an answer that failed and digests that agree with nothing") {
  Asked asked(Mood::failing);
  auto answer = asked.look();
  CHECK(answer.kind == FileAnswer::Kind::failed);
  CHECK(answer.text.find("a bad day") != std::string::npos);
  for (const auto& state : asked.digests()) CHECK(state.kind == kUnknownFileKind);
}

TEST_CASE("digests that are too few, too short or of an unknown kind agree with nothing") {
  for (auto mood : {Mood::tooFew, Mood::wrongSize, Mood::unknownKind}) {
    auto states = Asked(mood).digests();
    REQUIRE(states.size() == 2);
    for (const auto& state : states) CHECK(state.kind == kUnknownFileKind);
  }
}

TEST_CASE("a file without a digest is known to be there and agrees with no file") {
  auto states = Asked(Mood::noDigest).digests();
  REQUIRE(states.size() == 2);
  CHECK(states[0].kind == FileKind::file);
  CHECK_FALSE(disagreements({{kPath, FileKind::file, 0, xxh3(""), {}, 1}}, states).empty());
}

TEST_CASE("a fingerprint is asked for by the list's digest, and with its questions where that is not known") {
  Asked asked(Mood::right);
  CHECK(asked.fingerprint() == xxh3("fingerprint"));
  CHECK(asked.fingerprint() == xxh3("fingerprint"));
}

TEST_CASE("a client without a fingerprint, or with one that is none, gives none") {
  CHECK_FALSE(Asked(Mood::failing).fingerprint());
  CHECK_FALSE(Asked(Mood::wrongSize).fingerprint());
  CHECK_FALSE(Asked(Mood::unknownKind).fingerprint());
}

TEST_CASE("no answer to a question is an answer that failed") {
  CHECK(Asked(Mood::tooFew).look().kind == FileAnswer::Kind::failed);
}

TEST_CASE("a client that is gone rejects") {
  Asked asked(Mood::gone);
  CHECK_THROWS_AS(asked.look(), kj::Exception);
  CHECK_THROWS_AS(asked.digests(), kj::Exception);
  CHECK_THROWS_AS(asked.fingerprint(), kj::Exception);
}

TEST_CASE("a client that is silent beyond the limit failed to answer, and agrees with nothing") {
  Asked asked(Mood::silent);
  auto answer = asked.files->answer({FileQuestion::Kind::look, "/a"});
  auto digests = asked.files->digests({{"/a", FileKind::file}});
  asked.timer.advanceTo(kj::origin<kj::TimePoint>() + kLimit - 1 * kj::MILLISECONDS);
  CHECK_FALSE(answer.poll(asked.io.waitScope));
  CHECK_FALSE(digests.poll(asked.io.waitScope));
  asked.timer.advanceTo(kj::origin<kj::TimePoint>() + kLimit);
  auto given = answer.wait(asked.io.waitScope).answer;
  CHECK(given.kind == FileAnswer::Kind::failed);
  CHECK(given.text.find("7 s (file_timeout_seconds") != std::string::npos);
  CHECK(digests.wait(asked.io.waitScope).at(0).kind == kUnknownFileKind);
}

TEST_CASE("a client that gave no files fails every question") {
  auto io = kj::setupAsyncIo();
  auto files = makeRemoteFiles(nullptr, {io.provider->getTimer(), kLimit});
  auto reply = files->answer({FileQuestion::Kind::look, "/a"}).wait(io.waitScope);
  CHECK(reply.answer.kind == FileAnswer::Kind::failed);
}
