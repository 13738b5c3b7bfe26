// A request with a virtual architecture: two calls of the service, told as one.
#include <catch2/catch.hpp>
#include <future>

#include "jit/service/service.h"
#include "stand_ins.h"

namespace kiln::test {
namespace {

using How = Outcome::How;
using Catch::Contains;

Request stagedRequest(const std::string& target = "sm_90") {
  auto request = someRequest();
  request.target.name = target;
  request.virtualArchitecture = Target{Target::Kind::nvidiaVirtual, "compute_90"};
  return request;
}

// Beside the fixture's toolchains a linker, "nvjitlink 13.0".
class StagesFixture : public ServiceFixture {
 public:
  explicit StagesFixture(ServiceLimits limits = {}) : ServiceFixture(limits) {
    Toolchain linker;
    linker.name = "nvjitlink 13.0";
    linker.frontend = "nvjitlink";
    linker.version = "13.0";
    linker.language = Language::ptx;
    linker.identity.bytes.fill(31);
    linker.targets = {"sm_80", "sm_90"};
    onDisk.push_back(linker);
    toolchains.rescan().wait(io.waitScope);
  }

  Outcome ask(ScriptedFiles& files, const Request& request = stagedRequest()) {
    return compileRequest(files, request).wait(io.waitScope);
  }
};

}  // namespace

TEST_CASE("two stages are told as one: the last one's output, the first one's dependencies, both logs") {
  StagesFixture fixture;
  fixture.compilers.reads = {kHeader};
  fixture.compilers.change = [](Compiled& compiled) {
    auto& artifact = std::get<Artifact>(compiled.result);
    if (artifact.outputs[0].bytes.starts_with("nvrtc")) artifact.loweredNames = {{"k<int>", "_Z1k"}};
  };
  auto files = filesWith("v1");
  auto outcome = fixture.ask(*files);
  const auto& artifact = std::get<Artifact>(outcome.entry->result);
  CHECK(outcome.how == How::miss);
  CHECK_THAT(artifact.outputs[0].bytes, Contains("nvjitlink 13.0:nvrtc 13.0:__global__ void k() {}+v1"));
  CHECK(artifact.log == "one warning\none warning\n");
  CHECK(artifact.loweredNames == std::vector<LoweredName>{{"k<int>", "_Z1k"}});
  CHECK(outcome.entry->toolchainName == "nvrtc 13.0, nvjitlink 13.0");
  CHECK(outcome.entry->compileMilliseconds == 200);
  CHECK(outcome.entry->dependencies.size() == 1);
  CHECK(outcome.names == someNames());
  CHECK(fixture.compilers.jobs[0]->request.target.name == "compute_90");
  CHECK(fixture.compilers.jobs[1]->request.target.name == "sm_90");
}

TEST_CASE("what was generated serves the next target, and all of it is a hit when asked for again") {
  StagesFixture fixture;
  auto files = filesWith("v1");
  fixture.ask(*files);
  auto next = fixture.ask(*files, stagedRequest("sm_80"));
  CHECK(next.how == How::miss);
  CHECK_THAT(next.missReason, Contains("first stage was found"));
  CHECK(next.entry->compileMilliseconds == 100);
  CHECK(fixture.compilers.jobs.size() == 3);
  for (const auto* target : {"sm_80", "sm_90"}) {
    auto again = fixture.ask(*files, stagedRequest(target));
    CHECK(again.how == How::hit);
    CHECK(again.missReason.empty());
    CHECK(again.entry->compileMilliseconds == 200);
  }
  CHECK(fixture.compilers.jobs.size() == 3);
}

TEST_CASE("stages of two askers at once are one compile each") {
  StagesFixture fixture;
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  auto first = fixture.compileRequest(*files, stagedRequest());
  auto second = fixture.compileRequest(*files, stagedRequest());
  for (std::size_t stage = 0; stage < 2; ++stage) {
    fixture.settle();
    REQUIRE(fixture.compilers.jobs.size() == stage + 1);
    fixture.compilers.jobs[stage]->release->fulfill();
  }
  CHECK(first.wait(fixture.io.waitScope).how == How::miss);
  CHECK(second.wait(fixture.io.waitScope).how == How::joined);
}

TEST_CASE("a failure of either stage is the outcome, with all that both wrote and read") {
  StagesFixture fixture;
  fixture.compilers.reads = {kHeader};
  const std::string failing = GENERATE("nvrtc", "nvjitlink");
  fixture.compilers.change = [&](Compiled& compiled) {
    if (std::get<Artifact>(compiled.result).outputs[0].bytes.starts_with(failing)) {
      compiled.result = Failure{FailureKind::compileError, failing + " says no", "no\n"};
    }
  };
  auto files = filesWith("v1");
  const bool isLast = failing == "nvjitlink";
  for (auto how : {How::miss, How::hit}) {
    auto outcome = fixture.ask(*files);
    CHECK(outcome.how == how);
    const auto& failure = std::get<Failure>(outcome.entry->result);
    CHECK(failure.message == failing + " says no");
    CHECK(failure.log == (isLast ? "one warning\nno\n" : "no\n"));
    CHECK(outcome.entry->dependencies.size() == 1);
    CHECK(outcome.entry->toolchainName == (isLast ? "nvrtc 13.0, nvjitlink 13.0" : "nvrtc 13.0"));
  }
  CHECK(fixture.compilers.jobs.size() == (isLast ? 2 : 1));
}

TEST_CASE("a remembered failure of the last stage is a miss where the first was one") {
  StagesFixture fixture;
  fixture.compilers.reads = {kHeader};
  fixture.compilers.change = [](Compiled& compiled) {
    auto& bytes = std::get<Artifact>(compiled.result).outputs[0].bytes;
    if (bytes.starts_with("nvjitlink")) {
      compiled.result = Failure{FailureKind::compileError, "no"};
    } else {
      bytes = "the same whatever the header says";
    }
  };
  auto files = filesWith("v1");
  fixture.ask(*files);
  files->content["/home/me/inc/a.h"] = "v2";
  auto outcome = fixture.ask(*files);
  CHECK(outcome.how == How::miss);
  CHECK_THAT(outcome.missReason, Contains("a.h"));
  CHECK(fixture.compilers.jobs.size() == 3);
}

TEST_CASE("what makes a stage unfit to be remembered is told under the asker's names") {
  StagesFixture fixture;
  fixture.compilers.change = [](Compiled& compiled) { compiled.unclean = "it wrote '/kiln-source/x'"; };
  auto files = filesWith("v1");
  auto request = stagedRequest();
  request.names = {"/tmp/random/k.cu", "/home/me", {"inc"}, "/tmp"};
  auto asker = fixture.askerNamed(*files, request.names);
  auto outcome =
      fixture.service.compile(std::move(asker), request, Priority::normal, {}).wait(fixture.io.waitScope);
  CHECK_THAT(outcome.notRemembered, Contains("/tmp/random") && !Contains("kiln-source"));
}

TEST_CASE("who has waited for the first stage is not turned away from the last") {
  StagesFixture fixture({.jobs = 1, .queue = 1});
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  auto staged = fixture.compileRequest(*files, stagedRequest());
  fixture.settle();
  auto next = fixture.compileSource(*files, "takes the slot");
  fixture.settle();
  // The store's one thread is held up, so that another is looked up before the first stage is stored.
  std::promise<void> gate;
  auto opened = gate.get_future().share();
  auto heldUp = fixture.executor.run([opened] { opened.wait(); });
  auto waiting = fixture.compileSource(*files, "fills the queue");
  fixture.io.waitScope.poll();
  fixture.compilers.jobs.at(0)->release->fulfill();
  fixture.io.waitScope.poll();
  gate.set_value();
  fixture.settle();
  for (std::size_t job = 1; job < 4; ++job) {
    fixture.compilers.jobs.at(job)->release->fulfill();
    fixture.settle();
  }
  CHECK(failureOf(staged.wait(fixture.io.waitScope)) == std::nullopt);
}

TEST_CASE("what could not be linked is not generated") {
  StagesFixture fixture;
  auto files = filesWith("v1");
  CHECK(failureOf(fixture.ask(*files, stagedRequest("sm_100"))) == FailureKind::unsupportedTarget);
  fixture.onDisk.back().version = "12.9";
  fixture.toolchains.rescan().wait(fixture.io.waitScope);
  auto outcome = fixture.ask(*files);
  CHECK(failureOf(outcome) == FailureKind::toolchainUnavailable);
  CHECK_THAT(std::get<Failure>(outcome.entry->result).message,
             Contains("nvrtc 13.0") && Contains("\"nvjitlink 13.0\""));
  CHECK(fixture.compilers.jobs.empty());
}

TEST_CASE("draining lets a call under way through both stages") {
  StagesFixture fixture;
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  auto outcome = fixture.compileRequest(*files, stagedRequest());
  fixture.settle();
  auto drained = fixture.service.drain();
  fixture.compilers.jobs.at(0)->release->fulfill();
  fixture.settle();
  CHECK_FALSE(drained.poll(fixture.io.waitScope));
  fixture.compilers.jobs.at(1)->release->fulfill();
  CHECK(failureOf(outcome.wait(fixture.io.waitScope)) == std::nullopt);
  drained.wait(fixture.io.waitScope);
}

TEST_CASE("who leaves in either stage leaves no compile behind") {
  StagesFixture fixture;
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  const std::size_t stage = GENERATE(0, 1);
  {
    auto outcome = fixture.compileRequest(*files, stagedRequest());
    for (std::size_t before = 0; before < stage; ++before) {
      fixture.settle();
      fixture.compilers.jobs.at(before)->release->fulfill();
    }
    fixture.settle();
  }
  fixture.settle();
  CHECK(fixture.compilers.jobs.at(stage)->isKilled);
  fixture.service.drain().wait(fixture.io.waitScope);
}

}  // namespace kiln::test
