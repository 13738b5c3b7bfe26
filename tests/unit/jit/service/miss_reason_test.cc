#include "jit/service/miss_reason.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "jit/request_hash.h"
#include "stand_ins.h"

namespace kiln::test {

using Catch::Contains;

namespace {

// Compiles `before`, then says why `after` misses.
std::string reasonAfter(const Request& before, const Request& after) {
  ServiceFixture fixture;
  auto files = filesWith("v1");
  fixture.compileRequest(*files, before).wait(fixture.io.waitScope);
  auto asker = fixture.asker(*files);
  asker.names = after.names;
  return fixture.service.compile(std::move(asker), after, Priority::normal, std::chrono::milliseconds(0))
      .wait(fixture.io.waitScope)
      .missReason;
}

// Compiles with two headers read, lets `change` change the files, then says why the same misses.
std::string reasonAfterChange(const std::function<void(ScriptedFiles&)>& change) {
  ServiceFixture fixture;
  fixture.compilers.reads = {kHeader, kOtherHeader};
  auto files = filesWith("same");
  fixture.compile(*files).wait(fixture.io.waitScope);
  change(*files);
  auto result = fixture.service.lookup(fixture.asker(*files), requestHash(someRequest()));
  return std::get<Miss>(result.wait(fixture.io.waitScope)).reason;
}

// Why entries miss: what each depended on, and how that looks now.
std::string reasonFor(const std::vector<std::pair<DependencySet, std::vector<FileState>>>& entries) {
  std::vector<Manifest> manifests;
  std::vector<FileCheck> checks;
  for (const auto& [dependencies, states] : entries) {
    manifests.emplace_back().dependencies = dependencies;
    checks.push_back({states, disagreements(dependencies, states)});
  }
  const auto nearest = nearestByFiles(checks);
  return missByFile(manifests[nearest], checks[nearest]);
}

const std::string kPath = "/home/me/inc/a.h";
const std::string kOtherPath = "/home/me/inc/b.h";

}  // namespace

TEST_CASE("a miss says that the source was never seen") {
  CHECK_THAT(reasonAfter(someRequest("one"), someRequest("two")), Contains("never seen"));
}

TEST_CASE("a miss names the header that differs, and how") {
  CHECK(reasonAfterChange([](auto& files) { files.content[kPath] = "else"; }) ==
        "<include 0>/a.h changed since the nearest entry was compiled");
  CHECK_THAT(reasonAfterChange([](auto& files) { files.content.erase(kPath); }),
             Contains("<include 0>/a.h disappeared"));
  CHECK_THAT(reasonAfterChange([](auto& files) { files.content[kOtherPath] = "new"; }),
             Contains("<include 0>/b.h appeared"));
}

TEST_CASE("a miss tells files that were one and are no longer, and the reverse") {
  const DependencySet one = {{kHeader, FileKind::file, 1, {}, {}, 1},
                             {kOtherHeader, FileKind::file, 1, {}, {}, 1}};
  DependencySet two = one;
  two[1].fileNumber = 2;
  const std::vector<FileState> apart = {{FileKind::file, 1, {}, 7}, {FileKind::file, 1, {}, 8}};
  const std::vector<FileState> together = {{FileKind::file, 1, {}, 7}, {FileKind::file, 1, {}, 7}};
  CHECK_THAT(reasonFor({{one, apart}}),
             Contains("<include 0>/b.h is no longer one file with <include 0>/a.h"));
  CHECK_THAT(reasonFor({{two, together}}),
             Contains("<include 0>/b.h has become one file with <include 0>/a.h"));
}

TEST_CASE("a miss tells a file that became something else, and one that cannot be read") {
  const DependencySet set = {{kHeader, FileKind::file, 1, {}, {}, 1}};
  CHECK_THAT(reasonFor({{set, {{FileKind::directory, 0, {}, 7}}}}),
             Contains("<include 0>/a.h changed from a file to a directory"));
  CHECK_THAT(reasonFor({{set, {{kUnknownFileKind, 0, {}, 0}}}}),
             Contains("<include 0>/a.h could not be read"));
}

TEST_CASE("of several entries the one with the fewest files that differ is named, the first of equals") {
  const DependencySet set = {{kHeader, FileKind::file, 1, {}, {}, 1},
                             {kOtherHeader, FileKind::file, 1, {}, {}, 2}};
  const std::vector<FileState> both = {{FileKind::absent, 0, {}, 0}, {FileKind::absent, 0, {}, 0}};
  const std::vector<FileState> first = {{FileKind::absent, 0, {}, 0}, {FileKind::file, 1, {}, 8}};
  const std::vector<FileState> second = {{FileKind::file, 1, {}, 7}, {FileKind::absent, 0, {}, 0}};
  CHECK(reasonFor({{set, both}, {set, second}, {set, first}}) ==
        "<include 0>/b.h disappeared since the nearest entry was compiled");
  CHECK(reasonFor({{set, both}}) ==
        "<include 0>/a.h disappeared since the nearest entry was compiled; 1 other file differs too");
}

TEST_CASE("a miss says which of the names that bind differ") {
  const Names seen = {"./a.cu", "/home/me", {"inc", "/opt/inc"}};
  const std::string compiled = "names reach the output, and the nearest entry was compiled under ";
  CHECK(missByNames({"a.cu", "/home/me", {"inc", "/opt/inc"}}, seen) ==
        compiled + "source name \"./a.cu\", not \"a.cu\" (--name gives both one)");
  CHECK(missByNames({"./a.cu", "/srv", {"inc", "/opt/inc"}}, seen) ==
        compiled + "working directory \"/home/me\", not \"/srv\"");
  CHECK(missByNames({"./a.cu", "/home/me", {"inc", "/usr/inc"}}, seen) ==
        compiled + "include directory \"/opt/inc\", not \"/usr/inc\"");
  CHECK(missByNames({"a.cu", "/srv", {"inc", "/opt/inc"}}, seen) ==
        compiled + "source name \"./a.cu\", not \"a.cu\", and working directory \"/home/me\", not \"/srv\"");
}

TEST_CASE("a lookup takes the names that differ from the nearest entry") {
  ServiceFixture fixture;
  fixture.compilers.change = [](Compiled& compiled) { compiled.namesBind = true; };
  auto files = filesWith("v1");
  fixture.compile(*files).wait(fixture.io.waitScope);
  auto other = fixture.compileNamed(*files, {"./k.cu", "/home/me", {"inc"}}).wait(fixture.io.waitScope);
  CHECK_THAT(other.missReason, Contains("under source name \"k.cu\", not \"./k.cu\""));
}

TEST_CASE("a miss names both toolchains") {
  ServiceFixture fixture;
  auto files = filesWith("v1");
  fixture.compile(*files).wait(fixture.io.waitScope);
  auto asker = fixture.asker(*files);
  asker.toolchain = "nvrtc 12.9";
  auto result = fixture.service.lookup(std::move(asker), requestHash(someRequest()));
  CHECK(std::get<Miss>(result.wait(fixture.io.waitScope)).reason ==
        "compiled before with toolchain \"nvrtc 13.0\", not with \"nvrtc 12.9\"");
}

TEST_CASE("a miss tells two builds of one toolchain apart") {
  auto toolchain = someToolchains()[0];
  Manifest seen;
  seen.toolchainName = toolchain.name;
  seen.toolchainIdentity.bytes.fill(0xab);
  Manifest ofAnother;
  ofAnother.toolchainName = "nvrtc 12.9";
  CHECK_THAT(missByToolchain(nearestByToolchain({ofAnother, seen}, toolchain), toolchain),
             Contains("another build") && Contains("abababababab") && Contains("0d0d0d0d0d0d"));
}

TEST_CASE("a miss says what of the request differs from the nearest with the same source") {
  auto before = someRequest();
  auto changed = [&](const std::function<void(Request&)>& change) {
    auto after = before;
    change(after);
    return reasonAfter(before, after);
  };
  before.options = {"-DA=1", "-G"};
  before.headers = {{"in_memory.h", "old"}};
  before.inputs = {"a", "b"};
  before.nameExpressions = {"k<1>"};
  const std::string seen = "the same source was seen ";
  CHECK(changed([](Request& r) { r.target.name = "sm_80"; }) == seen + "for target sm_90");
  CHECK(changed([](Request& r) { r.options.push_back("-lineinfo"); }) ==
        seen + "without option \"-lineinfo\"");
  CHECK(changed([](Request& r) { r.options.pop_back(); }) == seen + "with option \"-G\"");
  CHECK(changed([](Request& r) { r.options = {"-G", "-DA=1"}; }) ==
        seen + "with its options in another order");
  CHECK(changed([](Request& r) { r.headers[0].content = "new"; }) ==
        seen + "with other content of header \"in_memory.h\"");
  CHECK(changed([](Request& r) { r.headers.clear(); }) == seen + "with header \"in_memory.h\"");
  CHECK(changed([](Request& r) { r.headers.push_back({"b.h", ""}); }) == seen + "without header \"b.h\"");
  CHECK(changed([](Request& r) { r.nameExpressions = {"k<1>", "k<2>"}; }) ==
        seen + "without name expression \"k<2>\"");
  CHECK(changed([](Request& r) { r.nameExpressions.clear(); }) == seen + "with name expression \"k<1>\"");
  CHECK(changed([](Request& r) { r.outputs = {OutputKind::ptx}; }) == seen + "for output cubin");
  CHECK(changed([](Request& r) { r.inputs = {"b", "a"}; }) ==
        seen + "with its further inputs in another order");
  CHECK(changed([](Request& r) { r.inputs = {"a", "c"}; }) == seen + "with other content of a further input");
  CHECK(changed([](Request& r) { r.inputs = {"a"}; }) == seen + "with 2 further inputs, not 1");
  CHECK(changed([](Request& r) { r.timestamp = 5; }) == seen + "with timestamp 0");
  CHECK(changed([](Request& r) { r.names.includeDirectories.push_back("more"); }) ==
        seen + "with 1 include directories, not 2");
}

TEST_CASE("of several with the same source the one with the fewest differences is named") {
  auto wanted = someRequest();
  auto far = wanted;
  far.target.name = "sm_80";
  far.options = {"-G"};
  auto near = wanted;
  near.timestamp = 7;
  CHECK(missByRequest(wanted, {far, near}) == "the same source was seen with timestamp 7");
  CHECK(missByRequest(wanted, {far}) == "the same source was seen for target sm_80, with option \"-G\"");
  CHECK_THAT(missByRequest(wanted, {far, wanted}), Contains("no longer in the store"));
}

}  // namespace kiln::test
