#include <signal.h>

#include <catch2/catch.hpp>
#include <iterator>

#include "pool_fixture.h"

using namespace kiln;
using Catch::Matchers::Contains;

namespace {

kj::Promise<void> untilNoZygote(PoolFixture& fixture) {
  if (fixture.zygoteId() == 0) return kj::READY_NOW;
  auto turn = fixture.io.provider->getTimer().afterDelay(1 * kj::MILLISECONDS);
  return turn.then([&fixture] { return untilNoZygote(fixture); });
}

// Processes whose parent is this thread, ended ones included.
std::ptrdiff_t childCount() {
  std::ifstream children("/proc/thread-self/children");
  return std::distance(std::istream_iterator<int>(children), {});
}

}  // namespace

TEST_CASE("Compiles of one toolchain share a zygote, those of another have their own") {
  PoolFixture fixture;
  auto first = fixture.toolchain();
  auto second = fixture.toolchain();
  for (int i = 0; i < 3; ++i) CHECK(outputOf(fixture.compileNow(first, "say it")) == "it");
  CHECK(outputOf(fixture.compileNow(second, "say it")) == "it");
  CHECK(PoolFixture::starts(first) == 1);
  CHECK(PoolFixture::starts(second) == 1);
}

TEST_CASE("A toolchain is prepared before anybody compiles") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain();
  fixture.pool->prepare(toolchain);
  fixture.until([&] { return PoolFixture::starts(toolchain) == 1; });
  auto processes = fixture.pool->processes();
  REQUIRE(processes.size() == 1);
  CHECK(processes[0].role == CompilerRole::zygote);
  CHECK(processes[0].toolchain == "standin 7.5");
  CHECK(outputOf(fixture.compileNow(toolchain, "say it")) == "it");
  CHECK(PoolFixture::starts(toolchain) == 1);
}

TEST_CASE("A job outlives its zygote, and the next one gets another") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain();
  StandInFiles files([&](const FileQuestion&) {
    // Answers once the zygote is gone for good.
    kill(fixture.zygoteId(), SIGKILL);
    return untilNoZygote(fixture).then(
        [] { return FileReply{{.kind = FileAnswer::Kind::file, .text = "the answer"}}; });
  });
  auto compiled = fixture.compile(toolchain, "look /a", files).wait(fixture.io.waitScope);
  CHECK(outputOf(compiled) == "the answer");
  CHECK(outputOf(fixture.compileNow(toolchain, "say again")) == "again");
  CHECK(PoolFixture::starts(toolchain) == 2);
}

TEST_CASE("A zygote that was good is started again without anybody asking") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain();
  CHECK(outputOf(fixture.compileNow(toolchain, "say it")) == "it");
  kill(fixture.zygoteId(), SIGKILL);
  fixture.until([&] { return PoolFixture::starts(toolchain) == 2; });
}

TEST_CASE("A zygote that dies is started again after a pause that grows") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain("die 2");
  auto start = std::chrono::steady_clock::now();
  CHECK(outputOf(fixture.compileNow(toolchain, "say at last")) == "at last");
  CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(300));
  CHECK(PoolFixture::starts(toolchain) == 3);
}

TEST_CASE("A zygote that keeps dying before it is ready makes the toolchain unavailable") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain("die 1000");
  auto compiled = fixture.compileNow(toolchain, "say it");
  CHECK(failureOf(compiled).kind == FailureKind::toolchainUnavailable);
  CHECK_THAT(failureOf(compiled).message, Contains(toolchain.library) && Contains("SIGSEGV"));
  CHECK_FALSE(compiled.unclean.empty());
  CHECK(PoolFixture::starts(toolchain) == 3);
}

TEST_CASE("A zygote that keeps dying while it clones is a crash") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain("die-cloning 1000");
  auto failure = failureOf(fixture.compileNow(toolchain, "say it"));
  CHECK(failure.kind == FailureKind::compilerCrash);
  CHECK_THAT(failure.message, Contains("SIGSEGV") && Contains("instead of cloning"));
}

TEST_CASE("A child whose zygote died before it reported it is found and reaped, and its job starts anew") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain("die-cloning 1");
  CHECK(outputOf(fixture.compileNow(toolchain, "say it")) == "it");
  CHECK(PoolFixture::starts(toolchain) == 2);
  fixture.until([&] { return fixture.childId() == 0; });
  fixture.pool = nullptr;
  CHECK(hasNoChildren());
}

TEST_CASE("What a zygote refuses is told to all who wait, and for a while to whoever asks") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain("refuse libstandin.so.7 lacks a symbol");
  auto files = noFiles();
  auto first = fixture.compile(toolchain, "say it", files);
  auto second = fixture.compile(toolchain, "say it", files);
  Failure expected{FailureKind::toolchainUnavailable, "libstandin.so.7 lacks a symbol"};
  CHECK(failureOf(first.wait(fixture.io.waitScope)) == expected);
  CHECK(failureOf(second.wait(fixture.io.waitScope)) == expected);
  CHECK(failureOf(fixture.compileNow(toolchain, "say it")) == expected);
  CHECK(PoolFixture::starts(toolchain) == 1);

  std::ofstream(toolchain.library) << "\n";
  fixture.until([&] { return outputOf(fixture.compileNow(toolchain, "say mended")) == "mended"; });
  CHECK(PoolFixture::starts(toolchain) == 2);
}

TEST_CASE("A zygote whose library was replaced while it loaded compiles nothing") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain("become something else");
  toolchain.footprint.files = {stampFile(toolchain.library)};
  auto failure = failureOf(fixture.compileNow(toolchain, "say it"));
  CHECK(failure.kind == FailureKind::toolchainUnavailable);
  CHECK_THAT(failure.message, Contains("replaced") && Contains(toolchain.library));
}

TEST_CASE("A library that was touched has another zygote, since it may have been another in between") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain();
  auto touched = toolchain;
  touched.footprint.files = {stampFile(toolchain.library)};
  for (const auto& one : {toolchain, touched, toolchain, touched}) fixture.compileNow(one, "say it");
  CHECK(PoolFixture::starts(toolchain) == 2);
}

TEST_CASE("Zygotes that are not kept end at once, or when their last compile has ended") {
  PoolFixture fixture;
  auto idle = fixture.toolchain();
  auto busy = fixture.toolchain();
  auto kept = fixture.toolchain();
  for (const auto& one : {idle, busy, kept}) fixture.compileNow(one, "say it");
  CHECK(fixture.zygotes() == 3);

  auto gate = kj::newPromiseAndFulfiller<void>();
  StandInFiles files([&](const FileQuestion&) {
    return gate.promise.then(
        [] { return FileReply{{.kind = FileAnswer::Kind::file, .text = "the answer"}}; });
  });
  auto compiled = fixture.compile(busy, "look /a", files);
  fixture.until([&] { return fixture.childId() != 0; });
  fixture.pool->keepOnly({std::make_shared<const Toolchain>(kept)});
  fixture.until([&] { return fixture.zygotes() == 2; });
  gate.fulfiller->fulfill();
  CHECK(outputOf(compiled.wait(fixture.io.waitScope)) == "the answer");
  fixture.until([&] { return fixture.zygotes() == 1; });
  CHECK(outputOf(fixture.compileNow(kept, "say still there")) == "still there");
  CHECK(PoolFixture::starts(kept) == 1);

  // One who still holds what is not kept is served all the same.
  CHECK(outputOf(fixture.compileNow(idle, "say late")) == "late");
  fixture.until([&] { return fixture.zygotes() == 1; });
}

TEST_CASE("A child that was cloned and not reported is found and reaped when its zygote is given up") {
  PoolFixture fixture;
  auto files = noFiles();
  kj::Maybe<kj::Promise<Compiled>> compiled =
      fixture.compile(fixture.toolchain("hang-cloning"), "hang", files);
  fixture.until([] { return childCount() == 2; });
  compiled = nullptr;
  fixture.pool->keepOnly({});
  fixture.until([&] { return hasNoChildren(); });
  CHECK(fixture.pool->processes().empty());
}

TEST_CASE("A zygote that does not get ready in time makes the toolchain unavailable") {
  PoolFixture fixture({.zygoteStartTimeout = std::chrono::milliseconds(200)});
  auto failure = failureOf(fixture.compileNow(fixture.toolchain("hang"), "say it"));
  CHECK(failure.kind == FailureKind::toolchainUnavailable);
  CHECK_THAT(failure.message, Contains("did not get ready within 200 ms"));
  CHECK(hasNoChildren());
}

TEST_CASE("A compiler program that cannot be run is named") {
  PoolFixture fixture({.compilerProgram = "/nowhere/kiln-compiler"});
  auto failure = failureOf(fixture.compileNow(fixture.toolchain(), "say it"));
  CHECK(failure.kind == FailureKind::toolchainUnavailable);
  CHECK_THAT(failure.message, Contains("/nowhere/kiln-compiler") && Contains("No such file or directory"));
  CHECK(hasNoChildren());
}
