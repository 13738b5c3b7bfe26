// The service with toolchains whose files change.
#include "jit/service/toolchain_choice.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "jit/request_hash.h"
#include "stand_ins.h"
#include "tests/support/temporary_directory.h"

namespace kiln::test {
namespace {

using How = Outcome::How;

// Two toolchains with a library each; a toolchain's identity is its library's content.
class FilesFixture : public ServiceFixture {
 public:
  explicit FilesFixture(ServiceLimits limits = {}) : ServiceFixture(limits) {
    install("12.9", "the old");
    install("13.0", "the new");
    toolchains.rescan().wait(io.waitScope);
    scans = 0;
  }

  void install(const std::string& version, const std::string& content) {
    auto path = directory_.path() / version;
    std::ofstream(path) << content;
    Toolchain toolchain;
    toolchain.name = "nvrtc " + version;
    toolchain.frontend = "nvrtc";
    toolchain.version = version;
    toolchain.library = path.string();
    toolchain.identity = identityOf(content);
    toolchain.targets = {"sm_90"};
    toolchain.footprint.files = {stampFile(path.string())};
    remove(version);
    onDisk.push_back(std::move(toolchain));
  }
  // From what the next scan finds, those that the fixture began with too.
  void remove(const std::string& version) {
    std::erase_if(
        onDisk, [&](const Toolchain& one) { return one.footprint.files.empty() || one.version == version; });
  }
  void uninstall(const std::string& version) {
    remove(version);
    std::filesystem::remove(directory_.path() / version);
  }
  static Sha256 identityOf(const std::string& content) {
    Sha256 identity;
    std::copy(content.begin(), content.end(), identity.bytes.begin());
    return identity;
  }
  LookupResult lookUp(ScriptedFiles& files) {
    return service.lookup(asker(files), requestHash(someRequest())).wait(io.waitScope);
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace

TEST_CASE("what a replaced toolchain compiled is no hit, until it is put back") {
  FilesFixture fixture;
  auto files = filesWith("v1");
  auto first = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(fixture.compile(*files).wait(fixture.io.waitScope).how == How::hit);
  CHECK(fixture.scans == 0);

  fixture.install("13.0", "replaced");
  CHECK(std::holds_alternative<Miss>(fixture.lookUp(*files)));
  auto second = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(second.how == How::miss);
  CHECK(second.entry->toolchainIdentity == FilesFixture::identityOf("replaced"));
  CHECK(fixture.scans == 1);

  fixture.install("13.0", "the new");
  CHECK(std::holds_alternative<Outcome>(fixture.lookUp(*files)));
  auto third = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(third.how == How::hit);
  CHECK(*third.entry == *first.entry);
}

TEST_CASE("what came of a toolchain that was replaced meanwhile is given to nobody and not kept") {
  FilesFixture fixture;
  auto files = filesWith("v1");
  const bool crashes = GENERATE(false, true);
  bool replaced = false;
  fixture.compilers.change = [&](Compiled& compiled) {
    if (std::exchange(replaced, true)) return;
    fixture.install("13.0", "replaced");
    if (crashes) compiled.result = Failure{FailureKind::compilerCrash, "it crashed"};
  };
  auto outcome = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(outcome.how == How::miss);
  CHECK_FALSE(failureOf(outcome));
  CHECK(outcome.entry->toolchainIdentity == FilesFixture::identityOf("replaced"));
  CHECK(fixture.compilers.jobs.size() == 2);
  CHECK(fixture.store.statistics()->entries == 1);
  CHECK(fixture.service.statistics("users").failures.empty());
}

TEST_CASE("a toolchain that is replaced whenever it compiles is a failure in the end") {
  FilesFixture fixture;
  auto files = filesWith("v1");
  std::string content = "replaced";
  fixture.compilers.change = [&](Compiled&) { fixture.install("13.0", content += "!"); };
  auto outcome = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(failureOf(outcome) == FailureKind::toolchainUnavailable);
  CHECK_THAT(std::get<Failure>(outcome.entry->result).message, Catch::Contains("nvrtc 13.0"));
  CHECK(fixture.store.statistics()->entries == 0);
}

TEST_CASE(
    "everyone who waits for a compile starts over when its toolchain was replaced, and still compiles once") {
  FilesFixture fixture;
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  std::vector<kj::Promise<Outcome>> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(fixture.compile(*files));
  fixture.settle();
  REQUIRE(fixture.compilers.jobs.size() == 1);
  fixture.install("13.0", "replaced");
  fixture.compilers.isHeld = false;
  fixture.compilers.jobs[0]->release->fulfill();
  for (auto& call : calls) {
    CHECK(call.wait(fixture.io.waitScope).entry->toolchainIdentity == FilesFixture::identityOf("replaced"));
  }
  CHECK(fixture.compilers.jobs.size() == 2);
}

TEST_CASE("a compile that waited while its toolchain was replaced does not begin with it") {
  FilesFixture fixture({.jobs = 1});
  fixture.compilers.isHeld = true;
  auto files = filesWith("v1");
  auto asker = fixture.asker(*files);
  asker.toolchain = "nvrtc 12.9";
  auto running = fixture.service.compile(std::move(asker), someRequest(), Priority::normal,
                                         std::chrono::milliseconds(0));
  auto waiting = fixture.compile(*files);
  fixture.settle();
  CHECK(fixture.service.queued() == 1);
  fixture.install("13.0", "replaced");
  fixture.compilers.isHeld = false;
  fixture.compilers.jobs.at(0)->release->fulfill();
  CHECK(running.wait(fixture.io.waitScope).entry->toolchainName == "nvrtc 12.9");
  CHECK(waiting.wait(fixture.io.waitScope).entry->toolchainIdentity == FilesFixture::identityOf("replaced"));
  CHECK(fixture.compilers.jobs.size() == 2);
}

TEST_CASE("a toolchain that is gone is told as such, and the next best serves those who named none") {
  FilesFixture fixture;
  auto files = filesWith("v1");
  fixture.uninstall("13.0");
  CHECK(fixture.compile(*files).wait(fixture.io.waitScope).entry->toolchainName == "nvrtc 12.9");
  fixture.uninstall("12.9");
  auto none = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(failureOf(none) == FailureKind::toolchainUnavailable);
}

TEST_CASE("a toolchain that was mended serves the next request") {
  FilesFixture fixture;
  auto files = filesWith("v1");
  fixture.uninstall("12.9");
  fixture.install("13.0", "half");
  fixture.onDisk.back().problem = "half of it is missing";
  auto broken = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(failureOf(broken) == FailureKind::toolchainUnavailable);
  CHECK_THAT(std::get<Failure>(broken.entry->result).message, Catch::Contains("half of it is missing"));
  fixture.install("13.0", "whole again");
  CHECK(fixture.compile(*files).wait(fixture.io.waitScope).entry->toolchainName == "nvrtc 13.0");
}

TEST_CASE("a toolchain is found changed behind the back of one who is served by another") {
  FilesFixture fixture;
  auto files = filesWith("v1");
  fixture.install("12.9", "replaced");
  auto outcome = fixture.compile(*files).wait(fixture.io.waitScope);
  CHECK(outcome.entry->toolchainName == "nvrtc 13.0");
  fixture.settle();
  CHECK(fixture.scans == 1);
  CHECK(fixture.toolchains.areCurrent());
}

TEST_CASE("draining waits for calls that wait for a scan") {
  FilesFixture fixture;
  auto files = filesWith("v1");
  fixture.install("13.0", "replaced");
  auto call = fixture.compile(*files);
  auto drained = fixture.service.drain();
  drained.wait(fixture.io.waitScope);
  REQUIRE(fixture.compilers.jobs.size() == 1);
  CHECK_FALSE(fixture.compilers.jobs[0]->isRunning);
  CHECK_FALSE(failureOf(call.wait(fixture.io.waitScope)));
}

}  // namespace kiln::test
