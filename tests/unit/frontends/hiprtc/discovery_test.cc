#include "frontends/hiprtc/discovery.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "frontends/needed_libraries.h"
#include "tests/support/temporary_directory.h"

namespace kiln::hiprtc {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<fs::path>;

void write(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << path;
}

// What ROCm's package has, in `folder`.
void writeRocm(const fs::path& folder, const std::string& version) {
  const auto major = version.substr(0, version.find('.'));
  for (const std::string name : {"libhiprtc", "libhiprtc-builtins", "libamdhip64"}) {
    write(folder / (name + ".so." + version));
    fs::create_symlink(name + ".so." + version, folder / (name + ".so." + major));
  }
  write(folder / "libamd_comgr.so.3.0.1");
}

Paths find(const ToolchainSearch& search) {
  Paths paths;
  for (const auto& found : findLibraries(libraryKind(), search)) paths.push_back(found.library);
  return paths;
}

}  // namespace

TEST_CASE("ROCm's hiprtc is found in directories and wheels, with comgr and builtins, its runtime left out") {
  test::TemporaryDirectory root;
  writeRocm(root.path() / "rocm/lib", "7.1.25424");
  writeRocm(root.path() / "python/_rocm_sdk_core/lib", "6.4.0");
  write(root.path() / "python/torch/lib/libhiprtc.so");
  const auto found = findLibraries(libraryKind(), {{root.path() / "rocm"}, {root.path() / "python"}, false});
  REQUIRE(found.size() == 3);
  const auto folder = root.path() / "rocm/lib";
  CHECK(found[0].library == folder / "libhiprtc.so.7.1.25424");
  CHECK(found[0].files == Paths{folder / "libhiprtc.so.7.1.25424", folder / "libamd_comgr.so.3.0.1",
                                folder / "libhiprtc-builtins.so.7.1.25424"});
  CHECK(found[1].library == root.path() / "python/_rocm_sdk_core/lib/libhiprtc.so.6.4.0");
  CHECK(found[2].library == root.path() / "python/torch/lib/libhiprtc.so");
}

TEST_CASE("The runtime of HIP 5 is hiprtc where there is no other") {
  test::TemporaryDirectory root;
  write(root.path() / "libamdhip64.so.5.2.1");
  write(root.path() / "libhiprtc-builtins.so.5.2.1");
  write(root.path() / "libhiprtc-builtins.so.6.0.0");
  write(root.path() / "libamdhip64.so.6.0.0");
  const auto found = findLibraries(libraryKind(), {{root.path()}, {}, false});
  REQUIRE(found.size() == 1);
  CHECK(found[0].files ==
        Paths{root.path() / "libamdhip64.so.5.2.1", root.path() / "libhiprtc-builtins.so.5.2.1"});
  write(root.path() / "libhiprtc.so.5.3.0");
  CHECK(find({{root.path()}, {}, false}) == Paths{root.path() / "libhiprtc.so.5.3.0"});
}

TEST_CASE("A comgr that appears beside the library changes what is known of it") {
  test::TemporaryDirectory root;
  write(root.path() / "libhiprtc.so.7");
  Footprint footprint;
  footprint.folders = findLibraries(libraryKind(), {{root.path()}, {}, false}).front().folders;
  CHECK(holds(footprint));
  write(root.path() / "libamd_comgr.so.3");
  CHECK_FALSE(holds(footprint));
}

TEST_CASE("The name of the file tells the version") {
  CHECK(versionInName("/x/libamdhip64.so.5.2.21153") == "5.2");
  CHECK(versionInName("/x/libhiprtc.so.7.1") == "7.1");
  CHECK(versionInName("/x/libhiprtc.so.7") == "7");
  CHECK(versionInName("/x/libhiprtc.so").empty());
  CHECK(versionInName("/x/libhiprtc.so.x").empty());
}

TEST_CASE("The real hiprtc is found with the LLVM that its comgr needs") {
  const auto found = findLibraries(libraryKind(), {{}, {}, true});
  if (found.empty()) FAIL("there is no hiprtc: run scripts/test, which installs it");
  bool hasLlvm = false;
  bool hasComgr = false;
  for (const auto& file : found.front().files) {
    hasLlvm = hasLlvm || file.filename().native().starts_with("libLLVM");
    hasComgr = hasComgr || file.filename().native().starts_with("libamd_comgr");
  }
  CHECK(hasLlvm);
  CHECK(hasComgr);
}

TEST_CASE("A library that is cut short needs nothing, at any length") {
  const auto real = findLibraries(libraryKind(), {{}, {}, true});
  REQUIRE_FALSE(real.empty());
  std::ifstream file(real.front().library, std::ios::binary);
  std::string head(4096, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  test::TemporaryDirectory root;
  const auto path = root.path() / "libcut.so";
  for (std::size_t size = 0; size <= head.size(); size += 7) {
    std::ofstream(path, std::ios::binary) << head.substr(0, size);
    CHECK(neededBy(path).names.empty());
  }
  CHECK(neededBy(root.path() / "none").names.empty());
}

}  // namespace kiln::hiprtc
