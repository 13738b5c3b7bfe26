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

Sha256 identityIn(const fs::path& folder) {
  auto toolchains = findToolchains({{folder}, {}, false});
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
  auto toolchains = findToolchains({{root.path()}, {}, false});
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

TEST_CASE("of two toolchains with equal identity the first is kept") {
  test::TemporaryDirectory root;
  writeNvrtc(root.path() / "a", "library", "builtins");
  writeNvrtc(root.path() / "b", "library", "builtins");
  auto toolchains = findToolchains({{root.path() / "b", root.path() / "a"}, {}, false});
  REQUIRE(toolchains.size() == 1);
  CHECK(toolchains[0].library == (root.path() / "b/libnvrtc.so.13").string());
}

}  // namespace kiln
