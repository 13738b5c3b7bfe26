#include <kj/debug.h>
#include <signal.h>

#include <catch2/catch.hpp>

#include "pool_fixture.h"

using namespace kiln;
using Catch::Matchers::Contains;

TEST_CASE("A compile gives what the compiler process delivers") {
  PoolFixture fixture;
  auto compiled = fixture.compileNow(fixture.toolchain(), "say a cubin");
  CHECK(outputOf(compiled) == "a cubin");
  CHECK(std::get<Artifact>(compiled.result).log == "a log");
  CHECK(compiled.unclean.empty());
  CHECK(compiled.compileMilliseconds == 1.5);
}

TEST_CASE("Questions reach the client, in order, and its answers the compiler") {
  PoolFixture fixture;
  std::vector<std::string> asked;
  StandInFiles files([&](FileQuestion question) -> kj::Promise<FileReply> {
    asked.push_back(question.path);
    // A large answer does not fit the socket's buffer at once.
    auto text = std::string(1 << 20, question.path.back());
    return FileReply{{.kind = FileAnswer::Kind::file, .text = std::move(text)}};
  });
  auto compiled = fixture.compile(fixture.toolchain(), "look /a\nlook /b", files).wait(fixture.io.waitScope);
  CHECK(asked == std::vector<std::string>{"/a", "/b"});
  CHECK(outputOf(compiled) == std::string(1 << 20, 'a') + std::string(1 << 20, 'b'));
}

TEST_CASE("What the client sends ahead reaches the compiler with the answer") {
  PoolFixture fixture;
  StandInFiles files([](const FileQuestion&) -> kj::Promise<FileReply> {
    return FileReply{{.kind = FileAnswer::Kind::file, .text = "a"},
                     {{"/b", {.kind = FileAnswer::Kind::file, .text = "b"}},
                      {"/c", {.kind = FileAnswer::Kind::absent, .text = "/c"}}}};
  });
  auto compiled = fixture.compile(fixture.toolchain(), "look /a", files).wait(fixture.io.waitScope);
  CHECK(outputOf(compiled) == "a /b=b /c=/c");
}

TEST_CASE("A compile error is handed on with its log") {
  PoolFixture fixture;
  auto failure = failureOf(fixture.compileNow(fixture.toolchain(), "fail no such type"));
  CHECK(failure == Failure{FailureKind::compileError, "no such type", "the log of an error"});
}

TEST_CASE("A compile that passes its time limit is stopped, and the limit is named") {
  PoolFixture fixture;
  auto compiled = fixture.compileNow(fixture.toolchain(), "hang", std::chrono::milliseconds(250));
  CHECK(failureOf(compiled).kind == FailureKind::timeout);
  CHECK_THAT(failureOf(compiled).message,
             Contains("'k.cu' for sm_90 with standin 7.5") && Contains("250 ms"));
  CHECK_FALSE(compiled.unclean.empty());
  CHECK(compiled.compileMilliseconds >= 250);
  fixture.until([&] { return fixture.childId() == 0; });
}

TEST_CASE("A compile that passes its memory limit is stopped, and the limit is named") {
  PoolFixture fixture({.memoryLimit = 256ull << 20, .memoryInterval = std::chrono::milliseconds(1)});
  auto toolchain = fixture.toolchain();
  auto compiled = fixture.compileNow(toolchain, "grow 400");
  CHECK(failureOf(compiled).kind == FailureKind::memoryLimit);
  CHECK_THAT(failureOf(compiled).message, Contains("256 MiB") && Contains("memory_limit_mb"));
  CHECK_FALSE(compiled.unclean.empty());
  fixture.until([&] { return fixture.childId() == 0; });
  CHECK(outputOf(fixture.compileNow(toolchain, "say a small one")) == "a small one");
}

TEST_CASE("A compiler process that crashes is a failure that names the signal") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain();
  auto compiled = fixture.compileNow(toolchain, "crash");
  CHECK(failureOf(compiled).kind == FailureKind::compilerCrash);
  CHECK_THAT(failureOf(compiled).message, Contains("SIGSEGV (Segmentation fault)"));
  CHECK_FALSE(compiled.unclean.empty());
  CHECK(outputOf(fixture.compileNow(toolchain, "say it goes on")) == "it goes on");
  CHECK(PoolFixture::starts(toolchain) == 1);
}

TEST_CASE("A compiler process that exits without a result is a failure that names the status") {
  PoolFixture fixture;
  auto failure = failureOf(fixture.compileNow(fixture.toolchain(), "exit 7"));
  CHECK(failure.kind == FailureKind::compilerCrash);
  CHECK_THAT(failure.message, Contains("exited with status 7"));
}

TEST_CASE("A message that cannot be read is a crash of that compile alone") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain();
  for (auto* source : {"malformed-frame", "malformed-question", "wrong-outputs"}) {
    INFO(source);
    auto compiled = fixture.compileNow(toolchain, source);
    CHECK(failureOf(compiled).kind == FailureKind::compilerCrash);
    CHECK_THAT(failureOf(compiled).message, Contains("cannot read"));
    CHECK_FALSE(compiled.unclean.empty());
  }
  CHECK(outputOf(fixture.compileNow(toolchain, "say well")) == "well");
}

TEST_CASE("A compiler process that closes its socket and lives on is killed") {
  PoolFixture fixture;
  auto failure = failureOf(fixture.compileNow(fixture.toolchain(), "close"));
  CHECK(failure.kind == FailureKind::compilerCrash);
  CHECK(fixture.childId() == 0);
}

TEST_CASE("A result counts although the process crashes behind it") {
  PoolFixture fixture;
  CHECK(outputOf(fixture.compileNow(fixture.toolchain(), "say in time\nfinish-and-crash")) == "in time");
}

TEST_CASE("A client that cannot be asked any more fails its compile") {
  PoolFixture fixture;
  StandInFiles files([](const FileQuestion&) -> kj::Promise<FileReply> {
    return KJ_EXCEPTION(DISCONNECTED, "the client hung up");
  });
  auto compiled = fixture.compile(fixture.toolchain(), "look /a/header.h", files).wait(fixture.io.waitScope);
  CHECK(failureOf(compiled).kind == FailureKind::fileUnavailable);
  CHECK_THAT(failureOf(compiled).message, Contains("/a/header.h") && Contains("the client hung up"));
  CHECK_FALSE(compiled.unclean.empty());
}

TEST_CASE("A process that dies while the client is being asked does not wait for the answer") {
  PoolFixture fixture;
  StandInFiles files([&](const FileQuestion&) -> kj::Promise<FileReply> {
    kill(fixture.childId(), SIGKILL);
    return kj::NEVER_DONE;
  });
  auto compiled = fixture.compile(fixture.toolchain(), "look /a", files).wait(fixture.io.waitScope);
  CHECK(failureOf(compiled).kind == FailureKind::compilerCrash);
  CHECK_THAT(failureOf(compiled).message, Contains("SIGKILL"));
}

TEST_CASE("Compiles that run at once have a process each and do not mix") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain();
  constexpr int kCompiles = 12;
  // Answers nobody before all have asked.
  std::vector<kj::Own<kj::PromiseFulfiller<FileReply>>> waiting;
  StandInFiles files([&](const FileQuestion&) {
    auto pair = kj::newPromiseAndFulfiller<FileReply>();
    waiting.push_back(kj::mv(pair.fulfiller));
    if (waiting.size() == kCompiles) {
      CHECK(fixture.pool->processes().size() == kCompiles + 1);
      for (auto& fulfiller : waiting)
        fulfiller->fulfill(FileReply{{.kind = FileAnswer::Kind::file, .text = "!"}});
    }
    return kj::mv(pair.promise);
  });
  std::vector<kj::Promise<Compiled>> compiles;
  for (int i = 0; i < kCompiles; ++i) {
    compiles.push_back(fixture.compile(toolchain, "say number " + std::to_string(i) + "\nlook /a", files));
  }
  for (int i = 0; i < kCompiles; ++i) {
    CHECK(outputOf(compiles[i].wait(fixture.io.waitScope)) == "number " + std::to_string(i) + "!");
  }
}
