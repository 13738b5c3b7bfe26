#include "frontends/llvm/device_library_search.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "frontends/frontend.h"
#include "tests/support/temporary_directory.h"

namespace kiln {
namespace {

namespace fs = std::filesystem;

fs::path write(const fs::path& path, const std::string& content = "bitcode") {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << content;
  return path;
}

ToolchainSearch onlyIn(std::vector<fs::path> paths) { return {std::move(paths), {}, false}; }

}  // namespace

TEST_CASE("device libraries are found below a folder and in site-packages, the first of each") {
  test::TemporaryDirectory root;
  const auto libdevice = write(root.path() / "cuda/nvvm/libdevice/libdevice.10.bc");
  write(root.path() / "later/libdevice.10.bc");
  const auto ocml = write(root.path() / "rocm/ocml.bc");
  write(root.path() / "rocm/opencl.bc");
  CHECK(findDeviceLibraries(onlyIn({root.path() / "cuda", root.path() / "later", root.path() / "rocm"})) ==
        std::vector{libdevice, ocml});
  const auto wheel =
      write(root.path() / "venv/lib/python3.11/site-packages/nvidia/cu13/nvvm/libdevice/libdevice.10.bc");
  CHECK(findDeviceLibraries({{}, {root.path() / "venv"}, false}) == std::vector{wheel});
}

TEST_CASE("a compiler program of kiln's own is a toolchain with the files that it is handed") {
  test::TemporaryDirectory root;
  const auto program = write(root.path() / "bin/kiln-compiler-llvm", "program");
  const auto libdevice = write(root.path() / "libdevice.10.bc");
  FileDigests digests;
  const auto find = [&](const ToolchainSearch& search) { return findToolchains(search, digests); };

  const auto toolchains = find(onlyIn({program, libdevice}));
  REQUIRE(toolchains.size() == 1);
  CHECK(toolchains[0].frontend == "llvm");
  CHECK(toolchains[0].program == program.string());
  CHECK(toolchains[0].handed == std::vector{libdevice.string()});
  CHECK(find(onlyIn({root.path() / "bin", libdevice})).at(0).identity == toolchains[0].identity);
  CHECK(find(onlyIn({program})).at(0).identity != toolchains[0].identity);
  CHECK(holds(toolchains[0].footprint));

  SECTION("whose identity is over both") {
    write(libdevice, "other bitcode");
    CHECK_FALSE(holds(toolchains[0].footprint));
    CHECK(find(onlyIn({program, libdevice})).at(0).identity != toolchains[0].identity);
  }
  SECTION("beside kiln-compiler, where the system is searched") {
    ToolchainSearch search;
    search.programs = root.path() / "bin";
    const auto all = find(search);
    CHECK(std::count_if(all.begin(), all.end(),
                        [&](const Toolchain& one) { return one.program == program.string(); }) == 1);
  }
  SECTION("and no empty place") {
    CHECK(emptyPlaces(onlyIn({program, libdevice, root.path() / "bin"})).empty());
  }
}

}  // namespace kiln
