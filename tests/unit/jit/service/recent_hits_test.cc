#include "jit/service/recent_hits.h"

#include <catch2/catch.hpp>

#include "jit/request_hash.h"
#include "jit/service/file_check.h"
#include "stand_ins.h"

namespace kiln::test {
namespace {

std::shared_ptr<const Toolchain> toolchain() {
  return std::make_shared<const Toolchain>(someToolchains().front());
}

std::shared_ptr<const Entry> entryOf(const std::string& request, std::size_t bytes = 10) {
  Entry entry;
  entry.domain = "users";
  entry.requestHash = xxh3(request);
  entry.toolchainIdentity = toolchain()->identity;
  entry.dependencies = normalised(
      {{kHeader, FileKind::file, 2, xxh3("v1"), {}, 1}, {kOtherHeader, FileKind::absent, 0, {}, {}, 0}});
  entry.result = Artifact{{{OutputKind::cubin, std::string(bytes, 'x'), {}}}, "", {}};
  return std::make_shared<const Entry>(std::move(entry));
}

struct Recent {
  RecentHits hits{100'000};
  std::shared_ptr<RecentHit> find(const std::string& request, const Names& names = someNames(),
                                  const std::string& domain = "users") {
    return hits.find(domain, xxh3(request), names, {toolchain()});
  }
};

}  // namespace

TEST_CASE("a recent hit is found for its domain, request, names and toolchain only") {
  Recent recent;
  auto entry = entryOf("a");
  recent.hits.keep(entry, someNames());
  REQUIRE(recent.find("a") != nullptr);
  CHECK(recent.find("a")->entry == entry);
  CHECK(recent.find("b") == nullptr);
  CHECK(recent.find("a", someNames(), "others") == nullptr);
  CHECK(recent.find("a", {"other.cu", "/", {}}) == nullptr);
  Toolchain other;
  other.identity.bytes[0] = 0xff;
  CHECK(recent.hits.find("users", xxh3("a"), someNames(), {std::make_shared<const Toolchain>(other)}) ==
        nullptr);
  auto withStandIn = someNames();
  withStandIn.source = "/tmp/k.cu";
  recent.hits.keep(entry, withStandIn);
  CHECK(recent.find("a", withStandIn) != nullptr);
  withStandIn.temporaryDirectory = "/tmp";
  CHECK(recent.find("a", withStandIn) == nullptr);
}

TEST_CASE("of a request's entries one is the most recently used, under whatever names") {
  Recent recent;
  auto first = entryOf("a");
  auto second = std::make_shared<Entry>(*first);
  second->key.bytes.fill(1);
  auto otherNames = someNames();
  otherNames.source = "other.cu";
  recent.hits.keep(first, someNames());
  recent.hits.keep(second, otherNames);
  CHECK(recent.hits.becomesMostRecent(*first));
  CHECK_FALSE(recent.hits.becomesMostRecent(*first));
  CHECK(recent.hits.becomesMostRecent(*second));
  CHECK(recent.hits.becomesMostRecent(*first));
}

TEST_CASE("what is forgotten is forgotten under all names, and nothing else is") {
  Recent recent;
  auto otherNames = someNames();
  otherNames.source = "other.cu";
  recent.hits.keep(entryOf("a"), someNames());
  recent.hits.keep(entryOf("a"), otherNames);
  recent.hits.keep(entryOf("b"), someNames());
  recent.hits.forget("users", xxh3("a"));
  CHECK(recent.find("a") == nullptr);
  CHECK(recent.find("a", otherNames) == nullptr);
  CHECK(recent.find("b") != nullptr);
}

TEST_CASE("recent hits are bounded by what they take, the least recently used out first") {
  Recent recent;
  recent.hits.keep(entryOf("a", 40'000), someNames());
  recent.hits.keep(entryOf("b", 40'000), someNames());
  recent.find("a");
  recent.hits.keep(entryOf("c", 40'000), someNames());
  CHECK(recent.find("a") != nullptr);
  CHECK(recent.find("b") == nullptr);
  CHECK(recent.find("c") != nullptr);
  recent.hits.keep(entryOf("d", 200'000), someNames());
  CHECK(recent.find("d") == nullptr);
  CHECK(recent.find("c") != nullptr);
}

TEST_CASE("an expectation agrees with exactly the files that its dependencies agree with") {
  auto entry = entryOf("a");
  auto expectation = expectationOf(entry->dependencies, someNames());
  REQUIRE(expectation);
  auto agrees = [&](const std::map<std::string, std::string>& content) {
    auto io = kj::setupAsyncIo();
    auto files = kj::refcounted<ScriptedFiles>(content);
    auto found = files->fingerprint(expectation->list, std::make_shared<std::vector<KnownContent>>())
                     .wait(io.waitScope);
    auto checks = checkFiles({entry->dependencies}, someNames(), *files).wait(io.waitScope);
    bool doesAgree = KJ_ASSERT_NONNULL(found).value == expectation->fingerprint;
    CHECK(doesAgree == checks.front().disagreements.empty());
    return doesAgree;
  };
  CHECK(agrees({{"/home/me/inc/a.h", "v1"}}));
  CHECK_FALSE(agrees({{"/home/me/inc/a.h", "v2"}}));
  CHECK_FALSE(agrees({}));
  CHECK_FALSE(agrees({{"/home/me/inc/a.h", "v1"}, {"/home/me/inc/b.h", ""}}));
}

TEST_CASE("there is no expectation where a directory is not there or two roles of a path contradict") {
  auto entry = entryOf("a");
  CHECK_FALSE(expectationOf(entry->dependencies, {"k.cu", "/home/me", {}}));
  auto twice = entry->dependencies;
  twice.push_back({{FileRole::includeDirectory, 1, "a.h"}, FileKind::file, 2, xxh3("v2"), {}, 2});
  CHECK_FALSE(expectationOf(twice, {"k.cu", "/home/me", {"inc", "inc"}}));
}

TEST_CASE("a second hit reads nothing from the store and asks for one fingerprint") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  auto files = filesWith("v1");
  fixture.compile(*files).wait(fixture.io.waitScope);
  auto first = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(first.how == Outcome::How::hit);
  auto asked = files->digestCalls;
  fixture.store.readsFail = true;
  auto second = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(second.how == Outcome::How::hit);
  CHECK(second.entry == first.entry);
  CHECK(files->digestCalls == asked + 1);
}

TEST_CASE("a client without fingerprints, or with other files, is looked up in the store") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  auto v1 = filesWith("v1");
  auto v2 = filesWith("v2");
  fixture.compile(*v2).wait(fixture.io.waitScope);
  fixture.compile(*v1).wait(fixture.io.waitScope);
  fixture.compile(*v1).wait(fixture.io.waitScope);
  auto other = fixture.compile(*v2).wait(fixture.io.waitScope);
  CHECK(other.how == Outcome::How::hit);
  CHECK(outputOf(other).ends_with("+v2"));
  v2->givesFingerprints = false;
  CHECK(fixture.compile(*v2).wait(fixture.io.waitScope).how == Outcome::How::hit);
}

TEST_CASE("what one client had to read is the next one's hint, if its files agreed") {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader};
  auto first = filesWith("v1");
  fixture.compile(*first).wait(fixture.io.waitScope);
  fixture.compile(*first).wait(fixture.io.waitScope);
  const std::vector<KnownContent> read{{{1, 2, 2, 4, 5}, xxh3("v1")}};
  first->reads = read;
  fixture.compile(*first).wait(fixture.io.waitScope);
  CHECK(first->hints.empty());

  auto other = filesWith("v2");
  other->reads = {{{1, 2, 2, 4, 5}, xxh3("v2")}};
  auto looked = fixture.service.lookup(fixture.asker(*other), requestHash(someRequest()));
  CHECK(std::holds_alternative<Miss>(looked.wait(fixture.io.waitScope)));
  CHECK(other->hints == read);

  auto second = filesWith("v1");
  second->reads = std::vector<KnownContent>(100);  // more than there are questions
  fixture.compile(*second).wait(fixture.io.waitScope);
  auto third = filesWith("v1");
  fixture.compile(*third).wait(fixture.io.waitScope);
  CHECK(third->hints == read);

  // A client takes a hint for true: none comes from another user.
  auto stranger = filesWith("v1");
  auto asker = fixture.asker(*stranger);
  asker.user = 1234;
  fixture.service.lookup(std::move(asker), requestHash(someRequest())).wait(fixture.io.waitScope);
  CHECK(stranger->hints.empty());
}

}  // namespace kiln::test
