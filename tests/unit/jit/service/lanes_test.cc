// What bundles have brought: on the locked lane, and where the node has no compiler.
#include <catch2/catch.hpp>

#include "jit/request_hash.h"
#include "jit/service/service.h"
#include "jit/sha256.h"
#include "stand_ins.h"

namespace kiln::test {
namespace {

using How = Outcome::How;
using Catch::Contains;

BundledToolchain bundled(const Toolchain& toolchain) {
  return {toolchain.name,     toolchain.frontend, toolchain.version,
          toolchain.language, toolchain.identity, toolchain.targets};
}

Failure refusalOf(const Outcome& outcome) { return std::get<Failure>(outcome.entry->result); }

// A service, and entries that another node has compiled, brought as bundles.
class LanesFixture : public ServiceFixture {
 public:
  LanesFixture() { compilers.reads = {kHeader}; }

  // What a node with `by` makes of the request, for the bundles' domain: in a domain of its own here.
  std::vector<std::pair<Entry, Request>> madeElsewhere(const Request& request, ScriptedFiles& files,
                                                       std::vector<Toolchain> by = {
                                                           someToolchains().front()}) {
    const auto before = std::exchange(onDisk, std::move(by));
    toolchains.rescan().wait(io.waitScope);
    service.compile(asker(files, "elsewhere"), request, Priority::normal, std::chrono::milliseconds(0))
        .wait(io.waitScope);
    std::vector<std::pair<Entry, Request>> made;
    const auto summaries = store.list("elsewhere", {}, 10).value();
    for (const auto& summary : summaries) {
      auto entry = store.find("elsewhere", summary.key, Which::all).value().value();
      auto own = store.request("elsewhere", entry.requestHash).value().value();
      REQUIRE(store.remove("elsewhere", entry.key, Which::all));
      entry.domain = "users";
      entry.key = entryKey(entry);
      made.emplace_back(std::move(entry), std::move(own));
    }
    onDisk = before;
    toolchains.rescan().wait(io.waitScope);
    compilers.jobs.clear();
    return made;
  }
  Entry compiledElsewhere(const Request& request, ScriptedFiles& files,
                          std::vector<Toolchain> by = {someToolchains().front()}) {
    return madeElsewhere(request, files, std::move(by)).front().first;
  }

  void bring(const std::string& name, const std::vector<std::pair<Entry, Request>>& entries,
             const std::vector<Toolchain>& by = {someToolchains().front()}) {
    BundleRecord record;
    record.domain = "users";
    record.name = name;
    record.digest = sha256(name);
    for (const auto& toolchain : by) record.toolchains.push_back(bundled(toolchain));
    auto intake = store.beginBundle(record).value();
    for (const auto& [entry, request] : entries) REQUIRE(intake->add(entry, request));
    REQUIRE(intake->commit());
    service.bundlesChanged("users").wait(io.waitScope);
  }
  // The usual request, by the usual toolchain.
  void bringUsual(ScriptedFiles& files) {
    bring("app.kiln", {{compiledElsewhere(someRequest(), files), someRequest()}});
  }

  void loseCompilers() {
    onDisk.clear();
    toolchains.rescan().wait(io.waitScope);
  }

  Outcome ask(Lane lane, ScriptedFiles& files, const Request& request = someRequest(),
              const std::string& toolchain = "") {
    auto who = asker(files);
    who.lane = lane;
    who.toolchain = toolchain;
    return service.compile(std::move(who), request, Priority::normal, std::chrono::milliseconds(0))
        .wait(io.waitScope);
  }
  LookupResult lookUp(Lane lane, ScriptedFiles& files) {
    auto who = asker(files);
    who.lane = lane;
    return service.lookup(std::move(who), requestHash(someRequest())).wait(io.waitScope);
  }
};

}  // namespace

TEST_CASE("the locked lane serves what a bundle has brought, and compiles nothing") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  fixture.bringUsual(*files);
  CHECK(std::get<Outcome>(fixture.lookUp(Lane::locked, *files)).how == How::hit);
  CHECK(fixture.ask(Lane::locked, *files).how == How::hit);
  const auto refused = refusalOf(fixture.ask(Lane::locked, *files, someRequest("another")));
  CHECK(refused.kind == FailureKind::notPinned);
  CHECK(fixture.compilers.jobs.empty());
  CHECK(fixture.service.statistics("users").failures.at(FailureKind::notPinned) == 1);
}

TEST_CASE(
    "an entry of another request's SHA-256 is not served to who brings the request, though it was hit") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  auto entry = fixture.compiledElsewhere(someRequest(), *files);
  entry.requestSha256 = sha256("a request of the same XXH3");
  fixture.bring("app.kiln", {{entry, someRequest()}});
  CHECK(refusalOf(fixture.ask(Lane::locked, *files)).kind == FailureKind::notPinned);
  CHECK(std::holds_alternative<Outcome>(fixture.lookUp(Lane::locked, *files)));
  CHECK(refusalOf(fixture.ask(Lane::locked, *files)).kind == FailureKind::notPinned);
}

TEST_CASE("what an open lane of the same domain has compiled is not served on the locked one") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  CHECK(fixture.ask(Lane::open, *files).how == How::miss);
  CHECK(fixture.ask(Lane::open, *files).how == How::hit);
  CHECK(refusalOf(fixture.ask(Lane::locked, *files)).kind == FailureKind::notPinned);
  CHECK(std::holds_alternative<Miss>(fixture.lookUp(Lane::locked, *files)));
  fixture.bring("other.kiln",
                {{fixture.compiledElsewhere(someRequest("other"), *files), someRequest("other")}});
  CHECK(fixture.ask(Lane::open, *files).how == How::hit);
  CHECK(fixture.ask(Lane::open, *files).how == How::hit);
  CHECK(refusalOf(fixture.ask(Lane::locked, *files)).kind == FailureKind::notPinned);
}

TEST_CASE("a bundle that is removed is compiled for on an open lane, whatever was hit lately") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  fixture.bringUsual(*files);
  CHECK(fixture.ask(Lane::open, *files).how == How::hit);
  CHECK(fixture.ask(Lane::open, *files).how == How::hit);
  REQUIRE(fixture.store.removeBundle("users", sha256("app.kiln")).value());
  fixture.service.bundlesChanged("users").wait(fixture.io.waitScope);
  CHECK(fixture.ask(Lane::open, *files).how == How::miss);
}

TEST_CASE("what is not pinned is named, with the nearest entry and what differs") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  const auto entry = fixture.compiledElsewhere(someRequest(), *files);
  const auto saidFor = [&](const Request& request, ScriptedFiles& seen) {
    return refusalOf(fixture.ask(Lane::locked, seen, request)).message;
  };
  CHECK_THAT(saidFor(someRequest(), *files),
             Contains("\"k.cu\" for sm_90") && Contains("no bundle is there"));
  fixture.bring("app.kiln", {{entry, someRequest()}});
  const auto check = [&](const Request& request, ScriptedFiles& seen, const std::string& what) {
    CHECK_THAT(saidFor(request, seen), Contains("\"k.cu\" for sm_") &&
                                           Contains("nearest entry: " + entry.key.hex()) && Contains(what));
  };

  auto changed = filesWith("v2");
  check(someRequest(), *changed, "a.h changed");
  auto forOther = someRequest();
  forOther.target.name = "sm_80";
  check(forOther, *files, "pinned for target sm_90");
  auto withOption = someRequest();
  withOption.options.push_back("-DN=2");
  check(withOption, *files, "without option \"-DN=2\"");
  check(someRequest("edited"), *files, "another source");
  auto instance = someRequest();
  instance.nameExpressions = {"scale<float>"};
  check(instance, *files, "\"k.cu\" for sm_90 (scale<float>)");
  auto ofOtherName = someRequest("edited");
  ofOtherName.names.source = "unheard_of.cu";
  auto who = fixture.asker(*files);
  who.lane = Lane::locked;
  who.names = ofOtherName.names;
  const auto outcome =
      fixture.service.compile(std::move(who), ofOtherName, Priority::normal, std::chrono::milliseconds(0))
          .wait(fixture.io.waitScope);
  CHECK_THAT(refusalOf(outcome).message,
             Contains("\"unheard_of.cu\"") && Contains("nor a kernel of its name"));
  CHECK(fixture.compilers.jobs.empty());
}

TEST_CASE("the nearest entry is a pinned one, though an unpinned one is nearer") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  auto far = someRequest();
  far.options = {"-DA", "-DB"};
  const auto entry = fixture.compiledElsewhere(far, *files);
  fixture.bring("app.kiln", {{entry, far}});
  auto near = someRequest();
  near.options = {"-DA"};
  fixture.ask(Lane::open, *files, near);
  CHECK_THAT(refusalOf(fixture.ask(Lane::locked, *files)).message,
             Contains(entry.key.hex()) && Contains("with option"));
}

TEST_CASE("a toolchain that the request names must be that of the entry") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  fixture.bringUsual(*files);
  CHECK(fixture.ask(Lane::locked, *files, someRequest(), "nvrtc 13.0").how == How::hit);
  CHECK(fixture.ask(Lane::locked, *files, someRequest(), "nvrtc").how == How::hit);
  const auto refused = refusalOf(fixture.ask(Lane::locked, *files, someRequest(), "nvrtc 12.9"));
  CHECK(refused.kind == FailureKind::notPinned);
  CHECK_THAT(refused.message, Contains("\"nvrtc 12.9\"") && Contains("\"nvrtc 13.0\""));
}

TEST_CASE(
    "another bundle, by a newer toolchain, takes nothing from the first; of both the newer one's entry is "
    "served") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  const auto newer = someToolchains()[0];
  const auto older = someToolchains()[1];
  fixture.bring("old.kiln", {{fixture.compiledElsewhere(someRequest(), *files, {older}), someRequest()}},
                {older});
  const auto other = someRequest("other");
  fixture.bring("new.kiln", {{fixture.compiledElsewhere(other, *files, {newer}), other}}, {newer});
  CHECK(outputOf(fixture.ask(Lane::locked, *files)).starts_with("nvrtc 12.9"));
  fixture.bring("both.kiln", {{fixture.compiledElsewhere(someRequest(), *files, {newer}), someRequest()}},
                {newer});
  CHECK(outputOf(fixture.ask(Lane::locked, *files)).starts_with("nvrtc 13.0"));
  REQUIRE(fixture.store.touch("users", requestHash(someRequest()),
                              fixture.compiledElsewhere(someRequest(), *files, {older}).key));
  fixture.service.bundlesChanged("users").wait(fixture.io.waitScope);
  CHECK(outputOf(fixture.ask(Lane::locked, *files)).starts_with("nvrtc 13.0"));
}

TEST_CASE("a bundle that is removed is served no more, whatever was hit lately") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  fixture.bringUsual(*files);
  fixture.loseCompilers();
  const auto lane = GENERATE(Lane::open, Lane::locked);
  CHECK(fixture.ask(lane, *files).how == How::hit);
  CHECK(fixture.ask(lane, *files).how == How::hit);
  REQUIRE(fixture.store.removeBundle("users", sha256("app.kiln")).value());
  fixture.service.bundlesChanged("users").wait(fixture.io.waitScope);
  CHECK(refusalOf(fixture.ask(lane, *files)).kind ==
        (lane == Lane::open ? FailureKind::toolchainUnavailable : FailureKind::notPinned));
  CHECK(fixture.service.bundledToolchains("users").empty());
}

TEST_CASE("a node without a compiler serves bundles, by the toolchains that compiled them") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  fixture.bringUsual(*files);
  fixture.loseCompilers();
  CHECK(std::get<Outcome>(fixture.lookUp(Lane::open, *files)).how == How::hit);
  CHECK(fixture.ask(Lane::open, *files).how == How::hit);
  CHECK(fixture.ask(Lane::open, *files, someRequest(), "nvrtc 13.0").how == How::hit);
  REQUIRE(fixture.service.bundledToolchains("users").size() == 1);
  CHECK(fixture.service.bundledToolchains("users")[0]->name == "nvrtc 13.0");
  CHECK_FALSE(isOnNode(*fixture.service.bundledToolchains("users")[0]));
  CHECK(fixture.service.bundledToolchains("others").empty());

  const auto refused = refusalOf(fixture.ask(Lane::open, *files, someRequest("another")));
  CHECK(refused.kind == FailureKind::toolchainUnavailable);
  CHECK_THAT(refused.message,
             Contains("none was found") && Contains("nor do bundles have it") && Contains("never seen"));
  CHECK(fixture.compilers.jobs.empty());
}

TEST_CASE("an open lane goes by the node's own toolchain where it has one") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  fixture.bringUsual(*files);
  fixture.onDisk = {someToolchains()[1]};
  fixture.toolchains.rescan().wait(fixture.io.waitScope);
  CHECK(outputOf(fixture.ask(Lane::open, *files)).starts_with("nvrtc 12.9"));
  CHECK(fixture.ask(Lane::open, *files, someRequest(), "nvrtc 13.0").how == How::hit);
  CHECK(fixture.compilers.jobs.size() == 1);
}

TEST_CASE("a bundle of one domain serves no other") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  fixture.bringUsual(*files);
  auto who = fixture.asker(*files, "others");
  who.lane = Lane::locked;
  auto outcome =
      fixture.service.compile(std::move(who), someRequest(), Priority::normal, std::chrono::milliseconds(0))
          .wait(fixture.io.waitScope);
  CHECK(refusalOf(outcome).kind == FailureKind::notPinned);
}

TEST_CASE("bundles that were there before the service are served") {
  LanesFixture before;
  auto files = filesWith("v1");
  before.bringUsual(*files);
  before.loseCompilers();
  CompileService again(before.store, before.compilers, before.executor, before.toolchains, before.timer, {},
                       {[](const Request&) -> std::expected<void, Failure> { return {}; },
                        [](const Request&) { return std::optional<Stages>(); }, [](const StoreError&) {}});
  again.begin(before.store.allBundles().value());
  auto outcome =
      again.compile(before.asker(*files), someRequest(), Priority::normal, std::chrono::milliseconds(0))
          .wait(before.io.waitScope);
  CHECK(outcome.how == How::hit);
}

TEST_CASE("a driver's word takes nothing away that a bundle has brought") {
  LanesFixture fixture;
  auto files = filesWith("v1");
  fixture.bringUsual(*files);
  const auto hit = fixture.ask(Lane::open, *files);
  const auto bytes = std::get<Artifact>(hit.entry->result).outputs[0].sha256;
  const auto refusal = fixture.service.refuse("users", hit.entry->key, bytes).wait(fixture.io.waitScope);
  CHECK((!refusal.isSetAside && !refusal.compileAgain));
  CHECK(fixture.ask(Lane::locked, *files).how == How::hit);
}

TEST_CASE("both stages of a request come from bundles, and are not linked here on the locked lane") {
  LanesFixture fixture;
  Toolchain linker;
  linker.name = "nvjitlink 13.0";
  linker.frontend = "nvjitlink";
  linker.version = "13.0";
  linker.language = Language::ptx;
  linker.library = "/opt/13/libnvJitLink.so";
  linker.identity.bytes.fill(31);
  linker.targets = {"sm_80", "sm_90"};
  const auto nvrtc = someToolchains().front();
  auto staged = someRequest();
  staged.virtualArchitecture = Target{Target::Kind::nvidiaVirtual, "compute_90"};
  auto files = filesWith("v1");

  const auto entries = fixture.madeElsewhere(staged, *files, {nvrtc, linker});
  REQUIRE(entries.size() == 2);
  fixture.bring("app.kiln", entries, {nvrtc, linker});
  const auto lane = GENERATE(Lane::open, Lane::locked);
  const bool hasCompilers = GENERATE(false, true);
  fixture.onDisk = hasCompilers ? std::vector{nvrtc, linker} : std::vector<Toolchain>{};
  fixture.toolchains.rescan().wait(fixture.io.waitScope);
  CHECK(fixture.ask(lane, *files, staged).how == How::hit);
  if (lane == Lane::locked || !hasCompilers) {
    auto forOther = staged;
    forOther.target.name = "sm_80";
    const auto refused = refusalOf(fixture.ask(lane, *files, forOther));
    CHECK(refused.kind ==
          (lane == Lane::locked ? FailureKind::notPinned : FailureKind::toolchainUnavailable));
  }
  CHECK(fixture.compilers.jobs.empty());
}

}  // namespace kiln::test
