#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "jit/service/service.h"
#include "stand_ins.h"

namespace kiln::test {

using Catch::Contains;

TEST_CASE("compiles run by priority when there is one slot") {
  ServiceFixture fixture({.jobs = 1});
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  std::vector<kj::Promise<Outcome>> calls;
  calls.push_back(fixture.compileSource(*files, "first"));
  fixture.settle();
  calls.push_back(fixture.compileSource(*files, "background", Priority::background));
  calls.push_back(fixture.compileSource(*files, "normal"));
  calls.push_back(fixture.compileSource(*files, "interactive", Priority::interactive));
  fixture.settle();
  CHECK(fixture.service.running() == 1);
  CHECK(fixture.service.queued() == 3);
  fixture.compilers.isHeld = false;
  fixture.compilers.jobs.at(0)->release->fulfill();
  for (auto& call : calls) call.wait(fixture.io.waitScope);
  std::vector<std::string> order;
  for (const auto& job : fixture.compilers.jobs) order.push_back(job->request.source);
  CHECK(order == std::vector<std::string>{"first", "interactive", "normal", "background"});
}

TEST_CASE("a joiner of higher priority pulls the queued compile forward") {
  ServiceFixture fixture({.jobs = 1});
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  std::vector<kj::Promise<Outcome>> calls;
  calls.push_back(fixture.compileSource(*files, "first"));
  fixture.settle();
  calls.push_back(fixture.compileSource(*files, "normal"));
  calls.push_back(fixture.compileSource(*files, "wanted", Priority::background));
  fixture.settle();
  calls.push_back(fixture.compileSource(*files, "wanted", Priority::interactive));
  fixture.settle();
  fixture.compilers.isHeld = false;
  fixture.compilers.jobs.at(0)->release->fulfill();
  for (auto& call : calls) call.wait(fixture.io.waitScope);
  CHECK(fixture.compilers.jobs.at(1)->request.source == "wanted");
  CHECK(fixture.compilers.jobs.size() == 3);
}

TEST_CASE("a full queue refuses as overloaded, yet takes those who join") {
  ServiceFixture fixture({.jobs = 1, .queue = 1});
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  auto running = fixture.compileSource(*files, "running");
  auto waiting = fixture.compileSource(*files, "waiting");
  fixture.settle();
  auto refused = fixture.compileSource(*files, "refused").wait(fixture.io.waitScope);
  CHECK(failureOf(refused) == FailureKind::overloaded);
  CHECK(refused.entry->key.isZero());
  CHECK_THAT(refused.missReason, Contains("never seen"));
  auto joining = fixture.compileSource(*files, "waiting");
  fixture.settle();
  fixture.compilers.isHeld = false;
  fixture.compilers.jobs.at(0)->release->fulfill();
  CHECK_FALSE(failureOf(running.wait(fixture.io.waitScope)));
  CHECK_FALSE(failureOf(waiting.wait(fixture.io.waitScope)));
  CHECK(joining.wait(fixture.io.waitScope).how == Outcome::How::joined);
}

TEST_CASE("who starts over is let in though the queue is full") {
  ServiceFixture fixture({.jobs = 1, .queue = 0});
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  kj::Maybe<kj::Promise<Outcome>> leader = fixture.compile(*files);
  fixture.settle();
  auto startsOver = fixture.compileNamed(*files, {"other.cu", "/home/me", {"inc"}});
  fixture.settle();
  // Looked up ahead of the one who starts over, it takes the slot that the leader leaves.
  auto another = fixture.compileSource(*files, "another");
  leader = nullptr;
  fixture.settle();
  REQUIRE(fixture.compilers.jobs.size() == 2);
  CHECK(fixture.compilers.jobs[1]->request.source == "another");
  CHECK(fixture.service.queued() == 1);
  fixture.compilers.isHeld = false;
  fixture.compilers.jobs[1]->release->fulfill();
  CHECK_FALSE(failureOf(another.wait(fixture.io.waitScope)));
  CHECK_FALSE(failureOf(startsOver.wait(fixture.io.waitScope)));
}

TEST_CASE("a compile whose client does not answer lets others run meanwhile") {
  ServiceFixture fixture({.jobs = 1});
  fixture.compilers.reads = {kHeader};
  auto silent = filesWith("v1");
  silent->isSilent = true;
  auto stalled = fixture.compileSource(*silent, "stalled");
  fixture.settle();
  auto files = filesWith("v1");
  auto honest = fixture.compileSource(*files, "honest");
  fixture.timer.advanceTo(fixture.timer.now() + 999 * kj::MILLISECONDS);
  fixture.settle();
  CHECK_FALSE(honest.poll(fixture.io.waitScope));
  fixture.timer.advanceTo(fixture.timer.now() + 1 * kj::MILLISECONDS);
  CHECK(outputOf(honest.wait(fixture.io.waitScope)) == "nvrtc 13.0:honest+v1");
  CHECK(fixture.service.running() == 1);
}

TEST_CASE("a compile whose client answers at last has its slot back") {
  ServiceFixture fixture({.jobs = 1});
  fixture.compilers.reads = {kHeader};
  auto slow = filesWith("v1");
  auto gate = kj::newPromiseAndFulfiller<void>();
  slow->isSlow = true;
  slow->goesOn = kj::mv(gate.promise);
  slow->silentPaths = {"/home/me/inc/b.h"};
  fixture.compilers.reads = {kHeader, kOtherHeader};
  auto stalled = fixture.compileSource(*slow, "stalled");
  fixture.settle();
  fixture.timer.advanceTo(fixture.timer.now() + 1 * kj::SECONDS);
  fixture.settle();
  gate.fulfiller->fulfill();
  fixture.settle();
  auto files = filesWith("v1");
  auto another = fixture.compileSource(*files, "another");
  fixture.settle();
  CHECK(fixture.service.queued() == 1);
}

TEST_CASE("draining refuses new compiles and resolves when the last call is through") {
  ServiceFixture fixture;
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  auto running = fixture.compile(*files);
  fixture.settle();
  auto drained = fixture.service.drain();
  auto late = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(failureOf(late) == FailureKind::overloaded);
  CHECK_THAT(std::get<Failure>(late.entry->result).message, Contains("stopping"));
  fixture.settle();
  CHECK_FALSE(drained.poll(fixture.io.waitScope));
  fixture.compilers.jobs.at(0)->release->fulfill();
  drained.wait(fixture.io.waitScope);
  CHECK(outputOf(running.wait(fixture.io.waitScope)) == "nvrtc 13.0:__global__ void k() {}");
  fixture.service.drain().wait(fixture.io.waitScope);
}

}  // namespace kiln::test
