#include "jit/service/flight.h"

#include <kj/vector.h>

#include <catch2/catch.hpp>
#include <string>

#include "stand_ins.h"

namespace kiln::test {

using How = Outcome::How;
using Catch::Contains;

TEST_CASE("twenty askers at once cause one compile") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  kj::Vector<kj::Promise<Outcome>> askers;
  for (int i = 0; i < 20; ++i) askers.add(fixture.compile(*files));
  // All have looked up and joined before the compile ends: one that looked later would find the entry.
  fixture.settle();
  REQUIRE(fixture.compilers.jobs.size() == 1);
  fixture.compilers.jobs[0]->release->fulfill();
  unsigned misses = 0;
  for (auto& outcome : kj::joinPromises(askers.releaseAsArray()).wait(fixture.io.waitScope)) {
    misses += outcome.how == How::miss;
    CHECK(outputOf(outcome) == "nvrtc 13.0:__global__ void k() {}+v1");
  }
  CHECK(misses == 1);
  CHECK(fixture.compilers.jobs.size() == 1);
  CHECK(fixture.service.statistics("users").joined == 19);
  CHECK(fixture.service.statistics("users").savedMilliseconds == 1900);
}

TEST_CASE("an asker whose lookup overlaps a landing looks again and compiles nothing") {
  ServiceFixture fixture;
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  auto first = fixture.compile(*files);
  fixture.settle();
  // The lookup's read is queued on the executor before the first entry is: it cannot see that entry.
  auto second = fixture.compile(*files);
  fixture.compilers.isHeld = false;
  fixture.compilers.jobs.at(0)->release->fulfill();
  CHECK(first.wait(fixture.io.waitScope).how == How::miss);
  CHECK(second.wait(fixture.io.waitScope).how != How::miss);
  CHECK(fixture.compilers.jobs.size() == 1);
}

TEST_CASE("askers with different content of one header each get their own, at the same time") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  fixture.compilers.isHeld = true;
  auto ours = filesWith("ours");
  auto theirs = filesWith("theirs");
  auto a = fixture.compile(*ours);
  auto b = fixture.compile(*theirs);
  auto c = fixture.compile(*ours);
  fixture.settle();
  REQUIRE(fixture.compilers.jobs.size() == 1);
  fixture.compilers.isHeld = false;
  fixture.compilers.jobs[0]->release->fulfill();
  auto outcomeA = a.wait(fixture.io.waitScope);
  auto outcomeB = b.wait(fixture.io.waitScope);
  auto outcomeC = c.wait(fixture.io.waitScope);
  CHECK(outputOf(outcomeA) == "nvrtc 13.0:__global__ void k() {}+ours");
  CHECK(outputOf(outcomeB) == "nvrtc 13.0:__global__ void k() {}+theirs");
  CHECK(outcomeB.how == How::miss);
  CHECK_THAT(outcomeB.missReason, Contains("<include 0>/a.h changed"));
  CHECK(outcomeC.how == How::joined);
  CHECK(outcomeC.entry == outcomeA.entry);
  CHECK(fixture.compilers.jobs.size() == 2);
}

TEST_CASE("a joiner whose names bind differently compiles for itself") {
  ServiceFixture fixture;
  fixture.compilers.isHeld = true;
  fixture.compilers.change = [](Compiled& compiled) { compiled.namesBind = true; };
  auto files = filesWith("v1");
  auto a = fixture.compile(*files);
  auto b = fixture.compileNamed(*files, {"other.cu", "/home/me", {"inc"}});
  fixture.settle();
  REQUIRE(fixture.compilers.jobs.size() == 1);
  fixture.compilers.isHeld = false;
  fixture.compilers.jobs[0]->release->fulfill();
  CHECK(a.wait(fixture.io.waitScope).entry->names.source == "k.cu");
  auto outcome = b.wait(fixture.io.waitScope);
  CHECK(outcome.how == How::miss);
  CHECK(outcome.entry->names.source == "other.cu");
  CHECK(fixture.compilers.jobs[1]->request.names.source == "other.cu");
}

TEST_CASE("when the leader leaves, another's files take over and the pending question is asked again") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader, kOtherHeader};
  auto leaving = filesWith("v1");
  leaving->isSilent = true;
  auto staying = filesWith("v1");
  kj::Maybe<kj::Promise<Outcome>> leader = fixture.compile(*leaving);
  fixture.settle();
  auto waiter = fixture.compile(*staying);
  fixture.settle();
  REQUIRE(leaving->answered == std::vector<std::string>{"/home/me/inc/a.h"});
  CHECK(staying->answered.empty());
  leader = nullptr;
  auto outcome = waiter.wait(fixture.io.waitScope);
  CHECK(staying->answered == std::vector<std::string>{"/home/me/inc/a.h", "/home/me/inc/b.h"});
  CHECK(outputOf(outcome) == "nvrtc 13.0:__global__ void k() {}+v1");
  CHECK(fixture.compilers.jobs.size() == 1);
}

TEST_CASE("when the leader's client is gone, its call rejects and another's files take over") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  fixture.compilers.isHeld = true;
  auto going = filesWith("v1");
  auto staying = filesWith("v1");
  auto leader = fixture.compile(*going);
  fixture.settle();
  auto waiter = fixture.compile(*staying);
  fixture.settle();
  going->isGone = true;
  fixture.compilers.jobs.at(0)->release->fulfill();
  CHECK(outputOf(waiter.wait(fixture.io.waitScope)) == "nvrtc 13.0:__global__ void k() {}+v1");
  CHECK_THROWS_AS(leader.wait(fixture.io.waitScope), kj::Exception);
  CHECK(fixture.compilers.jobs.size() == 1);
}

TEST_CASE("a compile of two clients' files is right for neither unchecked") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader, kOtherHeader};
  auto leaving = filesWith("old");
  auto staying = filesWith("new");
  fixture.compilers.isHeld = true;
  kj::Maybe<kj::Promise<Outcome>> leader = fixture.compile(*leaving);
  fixture.settle();
  auto waiter = fixture.compile(*staying);
  fixture.settle();
  leaving->silentPaths = {"/home/me/inc/b.h"};
  fixture.compilers.isHeld = false;
  fixture.compilers.jobs.at(0)->release->fulfill();
  fixture.settle();
  REQUIRE(leaving->answered.size() == 2);
  leader = nullptr;
  auto outcome = waiter.wait(fixture.io.waitScope);
  CHECK(outputOf(outcome) == "nvrtc 13.0:__global__ void k() {}+new");
  CHECK(fixture.compilers.jobs.size() == 2);
}

TEST_CASE("when the leader leaves and all others have other names, the compile starts over under theirs") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  auto leaving = filesWith("v1");
  leaving->isSilent = true;
  auto staying = kj::refcounted<ScriptedFiles>(std::map<std::string, std::string>{{"/srv/inc/a.h", "v1"}});
  kj::Maybe<kj::Promise<Outcome>> leader = fixture.compile(*leaving);
  fixture.settle();
  auto waiter = fixture.compileNamed(*staying, {"k.cu", "/srv", {"inc"}});
  fixture.settle();
  leader = nullptr;
  auto outcome = waiter.wait(fixture.io.waitScope);
  CHECK(outputOf(outcome) == "nvrtc 13.0:__global__ void k() {}+v1");
  REQUIRE(fixture.compilers.jobs.size() == 2);
  CHECK(fixture.compilers.jobs[0]->isKilled);
  CHECK(fixture.compilers.jobs[1]->request.names.workingDirectory == "/srv");
  CHECK(staying->answered == std::vector<std::string>{"/srv/inc/a.h"});
}

TEST_CASE("when the last asker leaves, the compile is killed and its slot is free") {
  ServiceFixture fixture({.jobs = 1});
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  kj::Maybe<kj::Promise<Outcome>> first = fixture.compile(*files);
  kj::Maybe<kj::Promise<Outcome>> second = fixture.compile(*files);
  fixture.settle();
  CHECK(fixture.service.running() == 1);
  first = nullptr;
  CHECK(fixture.compilers.jobs.at(0)->isRunning);
  second = nullptr;
  CHECK(fixture.compilers.jobs.at(0)->isKilled);
  CHECK(fixture.service.running() == 0);
  fixture.compilers.isHeld = false;
  CHECK(fixture.compile(*files).wait(fixture.io.waitScope).how == How::miss);
}

TEST_CASE("a client that is gone takes its compile with it when nobody else waits") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  auto files = filesWith("v1");
  files->isGone = true;
  CHECK_THROWS_AS(fixture.compile(*files).wait(fixture.io.waitScope), kj::Exception);
  CHECK(fixture.compilers.jobs.at(0)->isKilled);
  CHECK(fixture.service.running() == 0);
}

TEST_CASE("a crash, a timeout and a memory limit reach all who wait") {
  auto kind = GENERATE(FailureKind::timeout, FailureKind::memoryLimit, FailureKind::compilerCrash);
  ServiceFixture fixture;
  fixture.compilers.isHeld = true;
  fixture.compilers.change = [=](Compiled& compiled) {
    compiled.result = Failure{kind, "it went wrong"};
    compiled.unclean = "it went wrong";
  };
  auto files = filesWith("v1");
  auto a = fixture.compile(*files);
  auto b = fixture.compile(*files);
  fixture.settle();
  fixture.compilers.jobs.at(0)->release->fulfill();
  CHECK(failureOf(a.wait(fixture.io.waitScope)) == kind);
  CHECK(failureOf(b.wait(fixture.io.waitScope)) == kind);
  CHECK(fixture.compilers.jobs.size() == 1);
}

TEST_CASE(
    "a crash, a timeout and a memory limit that files may have led to reach the others if it is theirs too") {
  auto kind = GENERATE(FailureKind::timeout, FailureKind::memoryLimit, FailureKind::compilerCrash);
  ServiceFixture fixture;
  fixture.compilers.isHeld = true;
  fixture.compilers.reads = {kHeader};
  unsigned ended = 0;
  const bool isAllTheirs = GENERATE(false, true);
  fixture.compilers.change = [&](Compiled& compiled) {
    if (ended++ > 0 && !isAllTheirs) return;
    compiled.result = Failure{kind, "it went wrong"};
    compiled.unclean = "it went wrong";
  };
  auto first = filesWith("v1");
  auto second = filesWith("v2");
  auto a = fixture.compile(*first);
  auto b = fixture.compile(*second);
  auto c = fixture.compile(*second);
  fixture.settle();
  fixture.compilers.jobs.at(0)->release->fulfill();
  CHECK(failureOf(a.wait(fixture.io.waitScope)) == kind);
  fixture.settle();
  REQUIRE(fixture.compilers.jobs.size() == 2);
  fixture.compilers.jobs.at(1)->release->fulfill();
  auto ofB = b.wait(fixture.io.waitScope);
  auto ofC = c.wait(fixture.io.waitScope);
  CHECK(std::holds_alternative<Failure>(ofB.entry->result) == isAllTheirs);
  CHECK(std::holds_alternative<Failure>(ofC.entry->result) == isAllTheirs);
  CHECK(fixture.compilers.jobs.size() == 2);
}

TEST_CASE("a file that the leader's client could not read is the leader's failure alone") {
  ServiceFixture fixture;
  fixture.compilers.isHeld = true;
  unsigned ended = 0;
  fixture.compilers.change = [&](Compiled& compiled) {
    if (ended++ > 0) return;
    compiled.result = Failure{FailureKind::fileUnavailable, "a.h: permission denied"};
    compiled.unclean = "a.h: permission denied";
  };
  auto files = filesWith("v1");
  auto leader = fixture.compile(*files);
  auto b = fixture.compile(*files);
  auto c = fixture.compile(*files);
  fixture.settle();
  fixture.compilers.isHeld = false;
  fixture.compilers.jobs.at(0)->release->fulfill();
  CHECK(failureOf(leader.wait(fixture.io.waitScope)) == FailureKind::fileUnavailable);
  CHECK_FALSE(failureOf(b.wait(fixture.io.waitScope)));
  CHECK_FALSE(failureOf(c.wait(fixture.io.waitScope)));
  CHECK(fixture.compilers.jobs.size() == 2);
}

TEST_CASE("a timeout shorter than a joiner's own makes the joiner compile anew") {
  ServiceFixture fixture;
  fixture.compilers.isHeld = true;
  unsigned ended = 0;
  fixture.compilers.change = [&](Compiled& compiled) {
    if (ended++ == 0) compiled.result = Failure{FailureKind::timeout, "too slow"};
  };
  auto files = filesWith("v1");
  auto hasty = fixture.service.compile(fixture.asker(*files), someRequest(), Priority::normal,
                                       std::chrono::milliseconds(5));
  fixture.settle();
  auto patient = fixture.compile(*files);
  fixture.settle();
  fixture.compilers.isHeld = false;
  fixture.compilers.jobs.at(0)->release->fulfill();
  CHECK(failureOf(hasty.wait(fixture.io.waitScope)) == FailureKind::timeout);
  CHECK_FALSE(failureOf(patient.wait(fixture.io.waitScope)));
}

}  // namespace kiln::test
