#include "jit/dependencies.h"

#include <catch2/catch.hpp>

#include <algorithm>

#include "jit/files.h"
#include "tests/support/samples.h"

using namespace kiln;
using kiln::test::sampleFile;

namespace {

RolePath at(std::string path) { return {FileRole::includeDirectory, 0, std::move(path)}; }

Dependency absent(std::string path) { return {at(std::move(path)), FileKind::absent, 0, {}, {}, 0}; }

FileState stateOf(const Dependency& dependency, std::uint64_t identity) {
  return {dependency.kind, dependency.size, dependency.xxh3, identity};
}

// Two files of equal bytes and one that is looked for in vain.
const DependencySet kTwoFiles =
    normalised({absent("0.h"), sampleFile(at("a.h"), "x", 1), sampleFile(at("b.h"), "x", 2)});
const DependencySet kOneFile =
    normalised({absent("0.h"), sampleFile(at("a.h"), "x", 1), sampleFile(at("b.h"), "x", 1)});

std::vector<FileState> statesOf(const DependencySet& dependencies, std::vector<std::uint64_t> identities) {
  std::vector<FileState> states;
  for (std::size_t i = 0; i < dependencies.size(); ++i)
    states.push_back(stateOf(dependencies[i], identities[i]));
  return states;
}

}  // namespace

TEST_CASE("Two compiles that observe the same in another order have equal sets") {
  std::vector<Dependency> observed = {sampleFile(at("b.h"), "x", 1), absent("z.h"),
                                      sampleFile(at("a.h"), "y", 2),
                                      sampleFile({FileRole::sourceDirectory, 0, "b.h"}, "x", 1)};
  auto reversed = observed;
  std::reverse(reversed.begin(), reversed.end());
  for (auto& dependency : reversed) {
    if (dependency.fileNumber != 0) dependency.fileNumber += 40;
  }
  auto set = normalised(observed);
  REQUIRE(set == normalised(reversed));
  REQUIRE(std::is_sorted(set.begin(), set.end(), [](auto& a, auto& b) { return a.path < b.path; }));
}

TEST_CASE("Files are numbered from one, one file with one number") {
  auto set = normalised({sampleFile(at("b.h"), "x", 9), sampleFile(at("a.h"), "x", 5), absent("aa.h"),
                         sampleFile(at("c.h"), "x", 5)});
  std::vector<std::uint32_t> numbers;
  for (const auto& dependency : set) numbers.push_back(dependency.fileNumber);
  REQUIRE(numbers == std::vector<std::uint32_t>{1, 0, 2, 1});
}

TEST_CASE("Of two observations of one path and kind the first is kept") {
  auto set = normalised({sampleFile(at("a.h"), "first", 1), sampleFile(at("a.h"), "second", 2)});
  REQUIRE(set == normalised({sampleFile(at("a.h"), "first", 1)}));
}

TEST_CASE("One path may be observed in several ways") {
  Dependency link{at("a.h"), FileKind::link, 0, xxh3("b.h"), test::sampleDependencies()[0].sha256, 0};
  REQUIRE(normalised({link, sampleFile(at("a.h"), "x", 1)}).size() == 2);
}

TEST_CASE("Files as they were agree") {
  REQUIRE_FALSE(firstDisagreement(kTwoFiles, statesOf(kTwoFiles, {0, 7, 8})));
  REQUIRE_FALSE(firstDisagreement({}, {}));
}

TEST_CASE("A file with other content disagrees") {
  auto states = statesOf(kTwoFiles, {0, 7, 8});
  states[2].xxh3 = xxh3("y");
  REQUIRE(firstDisagreement(kTwoFiles, states) == 2);
}

TEST_CASE("A file of another size disagrees") {
  auto states = statesOf(kTwoFiles, {0, 7, 8});
  states[1].size = 2;
  REQUIRE(firstDisagreement(kTwoFiles, states) == 1);
}

TEST_CASE("A file that appeared where there was none disagrees") {
  auto states = statesOf(kTwoFiles, {0, 7, 8});
  states[0] = {FileKind::file, 1, xxh3("x"), 9};
  REQUIRE(firstDisagreement(kTwoFiles, states) == 0);
}

TEST_CASE("A file that became a directory, or is gone, disagrees") {
  auto states = statesOf(kTwoFiles, {0, 7, 8});
  states[1].kind = GENERATE(FileKind::directory, FileKind::absent, FileKind::other);
  REQUIRE(firstDisagreement(kTwoFiles, states) == 1);
}

TEST_CASE("A state that is missing disagrees") {
  auto states = statesOf(kTwoFiles, {0, 7, 8});
  states.pop_back();
  REQUIRE(firstDisagreement(kTwoFiles, states) == 2);
}

TEST_CASE("A file that became another of equal bytes agrees") {
  REQUIRE_FALSE(firstDisagreement(kTwoFiles, statesOf(kTwoFiles, {0, 100, 101})));
  REQUIRE_FALSE(firstDisagreement(kOneFile, statesOf(kOneFile, {0, 100, 100})));
}

TEST_CASE("Two files that are one now disagree") {
  REQUIRE(firstDisagreement(kTwoFiles, statesOf(kTwoFiles, {0, 7, 7})) == 2);
}

TEST_CASE("One file that is two copies now disagrees") {
  REQUIRE(firstDisagreement(kOneFile, statesOf(kOneFile, {0, 7, 8})) == 2);
}

TEST_CASE("The identity of what is no file does not matter") {
  REQUIRE_FALSE(firstDisagreement(kTwoFiles, statesOf(kTwoFiles, {7, 7, 8})));
}

TEST_CASE("The text of a listing does not depend on the order of the names and keeps them apart") {
  REQUIRE(listingText({"b", "a"}) == std::string("a\0b\0", 4));
  REQUIRE(listingText({"a", "b"}) != listingText({"ab"}));
  REQUIRE(listingText({}).empty());
}
