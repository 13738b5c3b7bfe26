#include "rpc/remote_files.h"

#include <kj/async-io.h>
#include <kj/debug.h>

#include <catch2/catch.hpp>

#include "jit/service/file_check.h"
#include "rpc/schema/convert.h"

using namespace kiln;

namespace {

enum class Mood { tooFew, wrongSize, unknownKind, failing, gone, right };

// A client that answers as it should, or in one of the ways in which it should not.
class MoodyFileSource final : public schema::FileSource::Server {
 public:
  explicit MoodyFileSource(Mood mood) : mood_(mood) {}

 protected:
  kj::Promise<void> look(LookContext context) override {
    throwIfAsked();
    auto answers = context.getResults().initAnswers(mood_ == Mood::tooFew ? 0 : 1);
    if (mood_ != Mood::tooFew) answers[0].setFile(convert::toData("content"));
    return kj::READY_NOW;
  }

  kj::Promise<void> digests(DigestsContext context) override {
    throwIfAsked();
    auto count = context.getParams().getPaths().size();
    auto digests = context.getResults().initDigests(mood_ == Mood::tooFew ? count - 1 : count);
    for (auto digest : digests) {
      digest.setKind(mood_ == Mood::unknownKind ? 99 : static_cast<std::uint8_t>(FileKind::file));
      auto value = xxh3("content");
      auto bytes = convert::toData(value.view());
      digest.setXxh3(mood_ == Mood::wrongSize ? bytes.slice(0, 8) : bytes);
    }
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
};

struct Asked {
  explicit Asked(Mood mood) : files(makeRemoteFiles(kj::heap<MoodyFileSource>(mood))) {}

  FileAnswer look() { return files->answer({FileQuestion::Kind::look, "/a"}).wait(io.waitScope).answer; }
  std::vector<FileState> digests() {
    return files->digests({{"/a", FileKind::file}, {"/b", FileKind::file}}).wait(io.waitScope);
  }

  kj::AsyncIoContext io = kj::setupAsyncIo();
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

TEST_CASE("no answer to a question is an answer that failed") {
  CHECK(Asked(Mood::tooFew).look().kind == FileAnswer::Kind::failed);
}

TEST_CASE("a client that is gone rejects") {
  Asked asked(Mood::gone);
  CHECK_THROWS_AS(asked.look(), kj::Exception);
  CHECK_THROWS_AS(asked.digests(), kj::Exception);
}

TEST_CASE("a client that gave no files fails every question") {
  auto io = kj::setupAsyncIo();
  auto files = makeRemoteFiles(nullptr);
  auto reply = files->answer({FileQuestion::Kind::look, "/a"}).wait(io.waitScope);
  CHECK(reply.answer.kind == FileAnswer::Kind::failed);
}
