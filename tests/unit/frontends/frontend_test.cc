#include "frontends/frontend.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace kiln {
namespace {

namespace fs = std::filesystem;

void writeNvrtc(const fs::path& folder, const std::string& library, const std::string& builtins) {
  fs::create_directories(folder);
  std::ofstream(folder / "libnvrtc.so.13") << library;
  std::ofstream(folder / "libnvrtc-builtins.so.13.0") << builtins;
}

std::vector<Toolchain> findIn(std::vector<fs::path> paths) {
  FileDigests digests;
  return findToolchains({std::move(paths), {}, false}, digests);
}

Sha256 identityIn(const fs::path& folder) {
  auto toolchains = findIn({folder});
  REQUIRE(toolchains.size() == 1);
  CHECK_FALSE(toolchains[0].identity.isZero());
  return toolchains[0].identity;
}

}  // namespace

TEST_CASE("frontends are found by name and by language") {
  REQUIRE(frontendByName("nvrtc") != nullptr);
  CHECK(frontendFor(Language::cuda) == frontendByName("nvrtc"));
  CHECK(frontendByName("nvcc") == nullptr);
}

TEST_CASE("a found toolchain tells its frontend, library and language; its name comes later") {
  test::TemporaryDirectory root;
  writeNvrtc(root.path(), "library", "builtins");
  auto toolchains = findIn({root.path()});
  REQUIRE(toolchains.size() == 1);
  CHECK(toolchains[0].frontend == "nvrtc");
  CHECK(toolchains[0].library == (root.path() / "libnvrtc.so.13").string());
  CHECK(toolchains[0].language == Language::cuda);
  CHECK(toolchains[0].name.empty());
  CHECK(toolchains[0].problem.empty());
}

TEST_CASE(
    "a toolchain's identity follows from the bytes of its library and of its builtins, not from its place") {
  test::TemporaryDirectory root;
  writeNvrtc(root.path() / "a", "library", "builtins");
  writeNvrtc(root.path() / "same", "library", "builtins");
  writeNvrtc(root.path() / "library", "librarY", "builtins");
  writeNvrtc(root.path() / "builtins", "library", "builtinS");
  writeNvrtc(root.path() / "border", "libraryb", "uiltins");

  auto identity = identityIn(root.path() / "a");

  CHECK(identityIn(root.path() / "same") == identity);
  CHECK(identityIn(root.path() / "library") != identity);
  CHECK(identityIn(root.path() / "builtins") != identity);
  CHECK(identityIn(root.path() / "border") != identity);
}

TEST_CASE("a toolchain's footprint holds until one of its files changes, comes or goes") {
  test::TemporaryDirectory root;
  writeNvrtc(root.path() / "real", "library", "builtins");
  fs::create_directory_symlink("real", root.path() / "link");
  auto footprint = findIn({root.path() / "link"}).at(0).footprint;
  CHECK(holds(footprint));
  std::ofstream(root.path() / "real/notes.txt") << "of no account";
  CHECK(holds(footprint));

  SECTION("the library") { std::ofstream(root.path() / "real/libnvrtc.so.13") << "librarY"; }
  SECTION("the builtins") { std::ofstream(root.path() / "real/libnvrtc-builtins.so.13.0") << "builtinS"; }
  SECTION("more builtins") { std::ofstream(root.path() / "real/libnvrtc-builtins.so.13.1") << "builtins"; }
  SECTION("another library") { std::ofstream(root.path() / "real/libnvrtc.so.14") << "library"; }
  SECTION("no builtins") { fs::remove(root.path() / "real/libnvrtc-builtins.so.13.0"); }
  SECTION("a link that leads elsewhere") {
    writeNvrtc(root.path() / "other", "library", "builtins");
    fs::remove(root.path() / "link");
    fs::create_directory_symlink("other", root.path() / "link");
  }
  CHECK_FALSE(holds(footprint));
}

TEST_CASE("files that did not change are not read when toolchains are looked for again") {
  test::TemporaryDirectory root;
  writeNvrtc(root.path() / "a", "library", "builtins");
  writeNvrtc(root.path() / "same", "library", "builtins");
  FileDigests digests;
  ToolchainSearch search{{root.path()}, {}, false};
  auto first = findToolchains(search, digests);
  CHECK(digests.reads() == 4);
  CHECK(findToolchains(search, digests) == first);
  CHECK(digests.reads() == 4);
  std::ofstream(root.path() / "a/libnvrtc-builtins.so.13.0") << "builtinS";
  CHECK(findToolchains(search, digests).size() == 2);
  CHECK(digests.reads() == 5);
}

TEST_CASE("a toolchain with a file that cannot be read has no identity, and says why") {
  test::TemporaryDirectory root;
  writeNvrtc(root.path(), "library", "builtins");
  fs::remove(root.path() / "libnvrtc-builtins.so.13.0");
  fs::create_directory(root.path() / "libnvrtc-builtins.so.13.0");
  auto toolchains = findIn({root.path()});
  REQUIRE(toolchains.size() == 1);
  CHECK(toolchains[0].identity.isZero());
  CHECK_THAT(toolchains[0].problem, Catch::Contains("libnvrtc-builtins.so.13.0") && Catch::Contains("read"));
}

TEST_CASE("copies with equal bytes have one identity") {
  test::TemporaryDirectory root;
  writeNvrtc(root.path() / "a", "library", "builtins");
  writeNvrtc(root.path() / "b", "library", "builtins");
  auto toolchains = findIn({root.path() / "b", root.path() / "a"});
  REQUIRE(toolchains.size() == 2);
  CHECK(toolchains[0].library == (root.path() / "b/libnvrtc.so.13").string());
  CHECK(toolchains[0].identity == toolchains[1].identity);
}

}  // namespace kiln
