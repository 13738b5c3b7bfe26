#include "jit/dependencies.h"

#include <catch2/catch.hpp>

#include <algorithm>

#include "jit/files.h"
#include "tests/support/samples.h"

using namespace kiln;
using kiln::test::sampleFile;

namespace {

using Indices = std::vector<std::size_t>;

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
  REQUIRE(disagreements(kTwoFiles, statesOf(kTwoFiles, {0, 7, 8})).empty());
  REQUIRE(disagreements({}, {}).empty());
}

TEST_CASE("A file with other content disagrees") {
  auto states = statesOf(kTwoFiles, {0, 7, 8});
  states[2].xxh3 = xxh3("y");
  REQUIRE(disagreements(kTwoFiles, states) == Indices{2});
}

TEST_CASE("A file of another size disagrees") {
  auto states = statesOf(kTwoFiles, {0, 7, 8});
  states[1].size = 2;
  REQUIRE(disagreements(kTwoFiles, states) == Indices{1});
}

TEST_CASE("A file that appeared where there was none disagrees") {
  auto states = statesOf(kTwoFiles, {0, 7, 8});
  states[0] = {FileKind::file, 1, xxh3("x"), 9};
  REQUIRE(disagreements(kTwoFiles, states) == Indices{0});
}

TEST_CASE("A file that became a directory, or is gone, disagrees") {
  auto states = statesOf(kTwoFiles, {0, 7, 8});
  states[1].kind = GENERATE(FileKind::directory, FileKind::absent, FileKind::other);
  REQUIRE(disagreements(kTwoFiles, states) == Indices{1});
}

TEST_CASE("A state that is missing disagrees") {
  auto states = statesOf(kTwoFiles, {0, 7, 8});
  states.pop_back();
  REQUIRE(disagreements(kTwoFiles, states) == Indices{2});
}

TEST_CASE("A file that became another of equal bytes agrees") {
  REQUIRE(disagreements(kTwoFiles, statesOf(kTwoFiles, {0, 100, 101})).empty());
  REQUIRE(disagreements(kOneFile, statesOf(kOneFile, {0, 100, 100})).empty());
}

TEST_CASE("Two files that are one now disagree") {
  REQUIRE(disagreements(kTwoFiles, statesOf(kTwoFiles, {0, 7, 7})) == Indices{2});
}

TEST_CASE("One file that is two copies now disagrees") {
  REQUIRE(disagreements(kOneFile, statesOf(kOneFile, {0, 7, 8})) == Indices{2});
}

TEST_CASE("Every disagreement is told") {
  auto states = statesOf(kTwoFiles, {0, 7, 8});
  states[0].kind = FileKind::directory;
  states[2].size = 2;
  REQUIRE(disagreements(kTwoFiles, states) == Indices{0, 2});
}

TEST_CASE("The identity of what is no file does not matter") {
  REQUIRE(disagreements(kTwoFiles, statesOf(kTwoFiles, {7, 7, 8})).empty());
}

TEST_CASE("The text of a listing does not depend on the order of the names and keeps them apart") {
  REQUIRE(listingText({"b", "a"}) == std::string("a\0b\0", 4));
  REQUIRE(listingText({"a", "b"}) != listingText({"ab"}));
  REQUIRE(listingText({}).empty());
}
