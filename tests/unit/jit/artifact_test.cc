#include "jit/artifact.h"

#include <catch2/catch.hpp>

#include "jit/names_binding.h"
#include "tests/support/samples.h"

using namespace kiln;
using namespace kiln::test;

namespace {

template <typename Change>
EntryKey keyAfter(const Change& change) {
  auto entry = sampleEntry(sampleRequest());
  change(entry);
  return entryKey(entry);
}

const EntryKey kUnchanged = entryKey(sampleEntry(sampleRequest()));

}  // namespace

TEST_CASE("An entry's key changes with the domain, the toolchain and the request") {
  REQUIRE(keyAfter([](Entry& e) { e.domain = "other"; }) != kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.toolchainIdentity = sha256("libnvrtc.so.12"); }) != kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.requestHash = xxh3("other"); }) != kUnchanged);
}

TEST_CASE("An entry's key changes with every field of a dependency") {
  REQUIRE(keyAfter([](Entry& e) { e.dependencies[0].path.role = FileRole::workingDirectory; }) != kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.dependencies[0].path.index = 7; }) != kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.dependencies[0].path.path += "x"; }) != kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.dependencies[0].kind = FileKind::directory; }) != kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.dependencies[1].size = 1; }) != kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.dependencies[1].xxh3 = xxh3("other"); }) != kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.dependencies[1].sha256 = sha256("other"); }) != kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.dependencies[1].fileNumber = 2; }) != kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.dependencies.pop_back(); }) != kUnchanged);
}

TEST_CASE("An entry's key changes with its names only where they bind") {
  auto rename = [](Entry& e) { e.names.source = "other.cu"; };
  REQUIRE(keyAfter(rename) == kUnchanged);
  auto bound = keyAfter([](Entry& e) { e.namesBind = true; });
  REQUIRE(bound != kUnchanged);
  REQUIRE(keyAfter([&](Entry& e) { e.namesBind = true, rename(e); }) != bound);
}

TEST_CASE("An entry's key does not change with what the compile yielded") {
  REQUIRE(keyAfter([](Entry& e) { e.result = Failure{}; }) == kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.compileMilliseconds = 1; }) == kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.createdAt = 1; }) == kUnchanged);
  REQUIRE(keyAfter([](Entry& e) { e.toolchainName = "another name of it"; }) == kUnchanged);
}

TEST_CASE("A manifest holds the digest of the names only where they bind") {
  auto entry = sampleEntry(sampleRequest());
  REQUIRE(manifestOf(entry).boundNames.isZero());
  entry.namesBind = true;
  REQUIRE(manifestOf(entry).boundNames == namesDigest(entry.names));
  REQUIRE(manifestOf(entry).dependencies == entry.dependencies);
}

// A change of any of these makes every stored entry unreachable: it needs new versions of the stored formats.
TEST_CASE("Keys and digests of entries are pinned by golden values") {
  auto entry = sampleEntry(sampleRequest());
  REQUIRE(dependenciesSha256({}).hex() == "96040c8dbcc45a7f0a1557ad61f47028ce124810f6850254cce6551ee3f7ba9a");
  REQUIRE(dependenciesSha256(entry.dependencies).hex() ==
          "a421a437f8c3cf29231e0470635c05f1bdda780f9f30b2876b328b1edff74b68");
  REQUIRE(namesDigest(entry.names).hex() == "f6f8018c689d3d256e37b4d8ab7d2766");
  REQUIRE(entryKey(entry).hex() == "d5aa0695e5258f4cfbc5a3a7c03b5151");
  entry.namesBind = true;
  REQUIRE(entryKey(entry).hex() == "b26b7009a9c6024cd80d1dac680a957e");
}
