#include "jit/service/service.h"

#include <catch2/catch.hpp>
#include <string>

#include "jit/request_hash.h"
#include "jit/sha256.h"
#include "stand_ins.h"

namespace kiln::test {

using How = Outcome::How;
using Catch::Contains;

TEST_CASE("a miss is compiled and kept, and the next asker gets it as a hit") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  auto files = filesWith("v1");
  auto first = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(first.how == How::miss);
  CHECK(outputOf(first) == "nvrtc 13.0:__global__ void k() {}+v1");
  CHECK(first.notRemembered.empty());
  CHECK_FALSE(first.entry->key.isZero());
  CHECK(std::get<Artifact>(first.entry->result).outputs[0].sha256 == sha256(outputOf(first)));

  auto second = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(second.how == How::hit);
  CHECK(*second.entry == *first.entry);
  CHECK(second.missReason.empty());
  CHECK(fixture.compilers.jobs.size() == 1);

  auto found = fixture.service.lookup(fixture.asker(*files), requestHash(someRequest()));
  CHECK(std::get<Outcome>(found.wait(fixture.io.waitScope)).how == How::hit);
}

TEST_CASE(
    "a binary that a driver refuses is forgotten, but not for a second time if it comes out as it was") {
  ServiceFixture fixture;
  auto files = filesWith("v1");
  const auto first = fixture.compile(*files).wait(fixture.io.waitScope);
  const auto key = first.entry->key;
  const auto sha256 = std::get<Artifact>(first.entry->result).outputs[0].sha256;
  const auto refuse = [&](const std::string& domain, const Sha256& bytes) {
    return fixture.service.refuse(domain, key, bytes).wait(fixture.io.waitScope);
  };

  const auto domain = first.entry->domain;
  const auto elsewhere = refuse("another", sha256);
  CHECK_FALSE(elsewhere.isSetAside);
  const auto otherBytes = refuse(domain, kiln::sha256("other bytes"));
  CHECK((!otherBytes.isSetAside && otherBytes.compileAgain));
  CHECK(fixture.compile(*files).wait(fixture.io.waitScope).how == How::hit);

  const auto told = refuse(domain, sha256);
  CHECK((told.isSetAside && told.compileAgain));
  const auto toldOfNothing = refuse(domain, sha256);
  CHECK((!toldOfNothing.isSetAside && toldOfNothing.compileAgain));
  CHECK(fixture.compile(*files).wait(fixture.io.waitScope).how == How::miss);
  CHECK(fixture.compilers.jobs.size() == 2);

  const auto again = refuse(domain, sha256);
  CHECK((!again.isSetAside && !again.compileAgain));
  CHECK(fixture.compile(*files).wait(fixture.io.waitScope).how == How::hit);
}

TEST_CASE("a lookup that brings its request is no use of what it finds") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  auto v1 = filesWith("v1"), v2 = filesWith("v2");
  const auto first = fixture.compile(*v1).wait(fixture.io.waitScope).entry->key;
  const auto second = fixture.compile(*v2).wait(fixture.io.waitScope).entry->key;
  const auto hash = requestHash(someRequest());
  const auto lookUp = [&](ScriptedFiles& files, const Names& names, std::shared_ptr<const Request> request) {
    auto looked = fixture.service.lookup(fixture.askerNamed(files, names), hash, std::move(request));
    CHECK(std::holds_alternative<Outcome>(looked.wait(fixture.io.waitScope)));
    fixture.settle();
  };
  const auto mostRecent = [&] { return fixture.store.manifests("users", hash, Which::all)->front().key; };
  const auto request = std::make_shared<const Request>(someRequest());
  auto otherNames = someNames();
  otherNames.source = "other.cu";

  lookUp(*v1, someNames(), request);  // found in the store
  CHECK(mostRecent() == second);
  lookUp(*v1, someNames(), nullptr);
  CHECK(mostRecent() == first);
  lookUp(*v2, otherNames, nullptr);
  lookUp(*v1, someNames(), request);  // found among the recent hits
  CHECK(mostRecent() == second);
  CHECK(fixture.service.statistics("users").hits == 2);
}

TEST_CASE("a lookup of what was never compiled is a miss that compiles nothing") {
  ServiceFixture fixture;
  auto files = filesWith("v1");
  auto result =
      fixture.service.lookup(fixture.asker(*files), requestHash(someRequest())).wait(fixture.io.waitScope);
  CHECK_THAT(std::get<Miss>(result).reason, Contains("never seen"));
  CHECK(fixture.compilers.jobs.empty());
}

TEST_CASE("one question asks for the files of every entry of a request") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader, kOtherHeader};
  auto v1 = filesWith("v1");
  auto v2 = filesWith("v2");
  fixture.compile(*v1).wait(fixture.io.waitScope);
  fixture.compile(*v2).wait(fixture.io.waitScope);
  auto asked = v1->digestCalls;
  CHECK(fixture.compile(*v1).wait(fixture.io.waitScope).how == How::hit);
  CHECK(v1->digestCalls == asked + 1);
}

TEST_CASE("a header that changes back finds its first entry again") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  auto files = filesWith("v1");
  fixture.compile(*files).wait(fixture.io.waitScope);
  files->content["/home/me/inc/a.h"] = "v2";
  CHECK(fixture.compile(*files).wait(fixture.io.waitScope).how == How::miss);
  files->content["/home/me/inc/a.h"] = "v1";
  auto back = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(back.how == How::hit);
  CHECK(outputOf(back) == "nvrtc 13.0:__global__ void k() {}+v1");
}

TEST_CASE("a moved tree is a hit") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  auto here = filesWith("v1");
  fixture.compile(*here).wait(fixture.io.waitScope);
  auto there = kj::refcounted<ScriptedFiles>(std::map<std::string, std::string>{{"/srv/app/inc/a.h", "v1"}});
  auto moved = fixture.compileNamed(*there, {"tmp123.cu", "/srv/app", {"inc"}}).wait(fixture.io.waitScope);
  CHECK(moved.how == How::hit);
}

TEST_CASE("names that bind keep askers with other names apart") {
  ServiceFixture fixture;
  fixture.compilers.change = [](Compiled& compiled) { compiled.namesBind = true; };
  auto files = filesWith("v1");
  auto first = fixture.compile(*files).wait(fixture.io.waitScope);
  auto other = fixture.compileNamed(*files, {"other.cu", "/home/me", {"inc"}}).wait(fixture.io.waitScope);
  CHECK(other.how == How::miss);
  CHECK(other.entry->key != first.entry->key);
  CHECK_THAT(other.missReason, Contains("names"));
  CHECK(fixture.compile(*files).wait(fixture.io.waitScope).how == How::hit);
}

TEST_CASE("two domains share nothing, neither entries nor running compiles") {
  ServiceFixture fixture({.jobs = 2});
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  auto ask = [&](const std::string& domain) {
    return fixture.service.compile(fixture.asker(*files, domain), someRequest(), Priority::normal,
                                   std::chrono::milliseconds(0));
  };
  auto ours = ask("ours");
  auto theirs = ask("theirs");
  fixture.settle();
  REQUIRE(fixture.compilers.jobs.size() == 2);
  fixture.compilers.jobs[0]->release->fulfill();
  CHECK(ours.wait(fixture.io.waitScope).entry->domain == "ours");
  auto mine = fixture.service.lookup(fixture.asker(*files, "ours"), requestHash(someRequest()));
  auto unseen = fixture.service.lookup(fixture.asker(*files, "theirs"), requestHash(someRequest()));
  CHECK(std::holds_alternative<Outcome>(mine.wait(fixture.io.waitScope)));
  CHECK(std::holds_alternative<Miss>(unseen.wait(fixture.io.waitScope)));
  fixture.compilers.jobs[1]->release->fulfill();
  CHECK(theirs.wait(fixture.io.waitScope).how == How::miss);
  CHECK(fixture.service.statistics("ours").compiles == 1);
  CHECK(fixture.service.statistics("theirs").hits == 0);
}

TEST_CASE("a compile error is remembered and replayed with its log") {
  ServiceFixture fixture;
  fixture.compilers.change = [](Compiled& compiled) {
    compiled.result = Failure{FailureKind::compileError, "k.cu does not compile", "k.cu(1): error\n"};
  };
  auto files = filesWith("v1");
  CHECK(fixture.compile(*files).wait(fixture.io.waitScope).how == How::miss);
  auto replayed = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(replayed.how == How::hit);
  CHECK(std::get<Failure>(replayed.entry->result).log == "k.cu(1): error\n");
}

TEST_CASE("an unclean compile is delivered, not remembered, and says why") {
  ServiceFixture fixture;
  fixture.compilers.change = [](Compiled& compiled) { compiled.unclean = "a.h could not be read"; };
  auto files = filesWith("v1");
  auto outcome = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK_FALSE(outputOf(outcome).empty());
  CHECK(outcome.notRemembered == "a.h could not be read");
  CHECK(outcome.entry->key.isZero());
  CHECK(fixture.compile(*files).wait(fixture.io.waitScope).how == How::miss);
}

TEST_CASE("failures that may not happen again are not remembered") {
  auto kind = GENERATE(FailureKind::timeout, FailureKind::memoryLimit, FailureKind::compilerCrash,
                       FailureKind::fileUnavailable, FailureKind::internal);
  ServiceFixture fixture;
  fixture.compilers.change = [=](Compiled& compiled) { compiled.result = Failure{kind, "it went wrong"}; };
  auto files = filesWith("v1");
  auto outcome = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(failureOf(outcome) == kind);
  CHECK_THAT(outcome.notRemembered, Contains(std::string(name(kind))));
  CHECK(fixture.compile(*files).wait(fixture.io.waitScope).how == How::miss);
  CHECK(fixture.service.statistics("users").failures.at(kind) == 2);
}

TEST_CASE("a store that cannot be read or written breaks no compile") {
  ServiceFixture fixture;
  auto files = filesWith("v1");
  fixture.store.readsFail = true;
  auto unread = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK_FALSE(outputOf(unread).empty());
  CHECK_THAT(unread.missReason, Contains("reading failed"));
  CHECK(fixture.storeErrors == std::vector<std::string>{"reading failed"});

  fixture.store.readsFail = false;
  fixture.store.writesFail = true;
  auto unkept = fixture.compileSource(*files, "int other;").wait(fixture.io.waitScope);
  CHECK_FALSE(outputOf(unkept).empty());
  CHECK(unkept.entry->key.isZero());
  CHECK_THAT(unkept.notRemembered, Contains("the disk is full"));
  CHECK(fixture.storeErrors.back() == "the disk is full");
}

TEST_CASE("a request that the frontend refuses is not compiled") {
  ServiceFixture fixture;
  fixture.refusal = {FailureKind::invalidRequest, "--time writes a file"};
  auto files = filesWith("v1");
  auto outcome = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(failureOf(outcome) == FailureKind::invalidRequest);
  CHECK(outcome.entry->key.isZero());
  CHECK(fixture.compilers.jobs.empty());
}

TEST_CASE("the toolchain is the newest unless the asker names one") {
  ServiceFixture fixture;
  auto files = filesWith("v1");
  auto ask = [&](const std::string& toolchain) {
    auto asker = fixture.asker(*files);
    asker.toolchain = toolchain;
    return fixture.service
        .compile(std::move(asker), someRequest(), Priority::normal, std::chrono::milliseconds(0))
        .wait(fixture.io.waitScope);
  };
  CHECK(ask("").entry->toolchainName == "nvrtc 13.0");
  CHECK(ask("nvrtc 12.9").entry->toolchainName == "nvrtc 12.9");
  CHECK(ask("nvrtc 12.9").how == How::hit);
  auto unknown = ask("nvrtc 7.0");
  CHECK(failureOf(unknown) == FailureKind::toolchainUnavailable);
  CHECK_THAT(std::get<Failure>(unknown.entry->result).message,
             Contains("nvrtc 13.0") && Contains("nvrtc 12.9"));
  auto broken = ask("nvrtc 11.8");
  CHECK_THAT(std::get<Failure>(broken.entry->result).message, Contains("it does not load"));
}

TEST_CASE("a lookup for a toolchain that is not there is a failure that lists those that are") {
  ServiceFixture fixture;
  auto files = filesWith("v1");
  auto asker = fixture.asker(*files);
  asker.toolchain = "nvrtc 7.0";
  auto result =
      fixture.service.lookup(std::move(asker), requestHash(someRequest())).wait(fixture.io.waitScope);
  CHECK_THAT(std::get<Failure>(result).message, Contains("nvrtc 7.0") && Contains("nvrtc 13.0"));
}

TEST_CASE("a caller's time limit can only be shorter than the service's") {
  ServiceFixture fixture({.timeout = std::chrono::milliseconds(1000)});
  auto files = filesWith("v1");
  auto limitGiven = [&](int asked, const std::string& source) {
    fixture.service
        .compile(fixture.asker(*files), someRequest(source), Priority::normal,
                 std::chrono::milliseconds(asked))
        .wait(fixture.io.waitScope);
    return fixture.compilers.jobs.back()->timeout.count();
  };
  CHECK(limitGiven(0, "a") == 1000);
  CHECK(limitGiven(10, "b") == 10);
  CHECK(limitGiven(5000, "c") == 1000);
}

TEST_CASE("a client that is gone while it is asked for digests rejects the lookup") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  auto files = filesWith("v1");
  fixture.compile(*files).wait(fixture.io.waitScope);
  files->isGone = true;
  auto lookup = fixture.service.lookup(fixture.asker(*files), requestHash(someRequest()));
  CHECK_THROWS_AS(lookup.wait(fixture.io.waitScope), kj::Exception);
}

TEST_CASE("statistics count what was saved") {
  ServiceFixture fixture;
  auto files = filesWith("v1");
  for (int i = 0; i < 3; ++i) fixture.compile(*files).wait(fixture.io.waitScope);
  auto statistics = fixture.service.statistics("users");
  CHECK(statistics.misses == 1);
  CHECK(statistics.compiles == 1);
  CHECK(statistics.hits == 2);
  CHECK(statistics.compileMilliseconds == 100);
  CHECK(statistics.savedMilliseconds == 200);
  CHECK(fixture.service.statistics("nobody").hits == 0);
}

TEST_CASE("a hit makes its entry the last to be forgotten") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  auto main = filesWith("main");
  auto branch = filesWith("branch");
  auto first = fixture.compile(*main).wait(fixture.io.waitScope);
  auto second = fixture.compile(*branch).wait(fixture.io.waitScope);
  CHECK(fixture.compile(*main).wait(fixture.io.waitScope).how == Outcome::How::hit);
  fixture.settle();
  auto manifests = fixture.store.manifests("users", first.entry->requestHash, Which::all).value();
  REQUIRE(manifests.size() == 2);
  CHECK(manifests[0].key == first.entry->key);
  CHECK(manifests[1].key == second.entry->key);
}

}  // namespace kiln::test
