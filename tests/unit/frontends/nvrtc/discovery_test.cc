#include "frontends/nvrtc/discovery.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "tests/support/temporary_directory.h"

namespace kiln::nvrtc {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << content;
}

// A library and its builtins, as the wheels have them.
void writeLibrary(const fs::path& folder, const std::string& major, const std::string& minor) {
  write(folder / ("libnvrtc.so." + major), "library " + major + "." + minor);
  write(folder / ("libnvrtc.alt.so." + major), "another build");
  write(folder / ("libnvrtc-builtins.so." + major + "." + minor), "builtins " + major + "." + minor);
  write(folder / ("libnvrtc-builtins.alt.so." + major + "." + minor), "another build");
}

std::vector<fs::path> librariesIn(const std::vector<FoundLibrary>& found) {
  std::vector<fs::path> paths;
  for (const auto& library : found) paths.push_back(library.library);
  return paths;
}

std::vector<FoundLibrary> find(const ToolchainSearch& search) { return findLibraries(libraryKind(), search); }

std::vector<std::string> emptyPlacesIn(const ToolchainSearch& search) {
  return emptyPlaces({libraryKind()}, {}, search);
}

ToolchainSearch onlyIn(std::vector<fs::path> paths) { return {std::move(paths), {}, false}; }

// Sets a variable of the environment for as long as it lives.
class EnvironmentVariable {
 public:
  EnvironmentVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~EnvironmentVariable() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  EnvironmentVariable(const EnvironmentVariable&) = delete;
  EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("a configured directory is searched to the bottom, other builds and stubs left out") {
  test::TemporaryDirectory root;
  writeLibrary(root.path() / "b/deep/lib", "13", "0");
  writeLibrary(root.path() / "a", "12", "9");
  writeLibrary(root.path() / "b/deep/lib/stubs", "13", "0");

  auto found = find(onlyIn({root.path()}));

  REQUIRE(found.size() == 2);
  CHECK(found[0].library == root.path() / "a/libnvrtc.so.12");
  CHECK(found[0].files ==
        std::vector{root.path() / "a/libnvrtc.so.12", root.path() / "a/libnvrtc-builtins.so.12.9"});
  CHECK(found[1].library == root.path() / "b/deep/lib/libnvrtc.so.13");
}

TEST_CASE("one real file is listed once, under its canonical name") {
  test::TemporaryDirectory root;
  auto lib = root.path() / "cuda-13.0/lib";
  write(lib / "libnvrtc.so.13.0.48", "library");
  write(lib / "libnvrtc-builtins.so.13.0.48", "builtins");
  fs::create_symlink("libnvrtc.so.13.0.48", lib / "libnvrtc.so.13");
  fs::create_symlink("libnvrtc.so.13", lib / "libnvrtc.so");
  fs::create_symlink("libnvrtc-builtins.so.13.0.48", lib / "libnvrtc-builtins.so.13.0");
  fs::create_symlink("lib", root.path() / "cuda-13.0/lib64");
  fs::create_directory_symlink("cuda-13.0", root.path() / "cuda");

  auto found = find(onlyIn({root.path() / "cuda/lib64/libnvrtc.so", root.path() / "cuda", root.path()}));

  REQUIRE(found.size() == 1);
  CHECK(found[0].files ==
        std::vector{fs::canonical(lib / "libnvrtc.so.13"), fs::canonical(lib / "libnvrtc-builtins.so.13.0")});
}

TEST_CASE("builtins of another version in the same directory are not a library's own") {
  test::TemporaryDirectory root;
  write(root.path() / "libnvrtc.so.12.9.86", "library");
  for (const char* version : {"12.9.86", "12.90", "12.2.140", "13.0"}) {
    write(root.path() / (std::string("libnvrtc-builtins.so.") + version), version);
  }
  CHECK(builtinsOf(root.path() / "libnvrtc.so.12.9.86") ==
        std::vector{root.path() / "libnvrtc-builtins.so.12.9.86"});
  CHECK(builtinsOf(root.path() / "libnvrtc.so.1").empty());
  CHECK(builtinsOf(root.path() / "libnvrtc.so.12.9.87").empty());
  write(root.path() / "libnvrtc-builtins.so.12.9.87", "another patch");
  CHECK(builtinsOf(root.path() / "libnvrtc.so.12.9.87") ==
        std::vector{root.path() / "libnvrtc-builtins.so.12.9.87"});
  CHECK(builtinsOf(root.path() / "libnvrtc.so.12").size() == 4);
}

TEST_CASE("a library without builtins is listed with itself alone") {
  test::TemporaryDirectory root;
  write(root.path() / "libnvrtc.so.13", "library");
  auto found = find(onlyIn({root.path()}));
  REQUIRE(found.size() == 1);
  CHECK(found[0].files == std::vector{root.path() / "libnvrtc.so.13"});
}

TEST_CASE("a configured path that does not exist finds nothing") {
  test::TemporaryDirectory root;
  CHECK(find(onlyIn({root.path() / "nothing", root.path() / "libnvrtc.so.13"})).empty());
}

TEST_CASE(
    "the wheels of CUDA 12 and 13 are found below a Python prefix, and in a folder of packages itself") {
  test::TemporaryDirectory root;
  auto packages = GENERATE("lib/python3.11/site-packages", "lib/python3/dist-packages", "");
  writeLibrary(root.path() / packages / "nvidia/cuda_nvrtc/lib", "12", "9");
  writeLibrary(root.path() / packages / "nvidia/cu13/lib", "13", "0");
  writeLibrary(root.path() / packages / "elsewhere/lib", "11", "8");

  auto found = librariesIn(find({{}, {root.path()}, false}));

  CHECK(found == std::vector{root.path() / packages / "nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
                             root.path() / packages / "nvidia/cu13/lib/libnvrtc.so.13"});
}

TEST_CASE("configured paths come first, then Python prefixes, then CUDA_HOME") {
  test::TemporaryDirectory root;
  writeLibrary(root.path() / "configured", "13", "0");
  writeLibrary(root.path() / "python/nvidia/cu13/lib", "13", "1");
  writeLibrary(root.path() / "home/lib64", "13", "2");
  const EnvironmentVariable home("CUDA_HOME", (root.path() / "home").string());

  auto found = librariesIn(find({{root.path() / "configured"}, {root.path() / "python"}, true}));

  REQUIRE(found.size() >= 3);
  CHECK(found[0] == root.path() / "configured/libnvrtc.so.13");
  CHECK(found[1] == root.path() / "python/nvidia/cu13/lib/libnvrtc.so.13");
  CHECK(found[2] == root.path() / "home/lib64/libnvrtc.so.13");
}

TEST_CASE("every place that is named and has no library is told, and no other") {
  test::TemporaryDirectory root;
  writeLibrary(root.path() / "full", "13", "0");
  writeLibrary(root.path() / "python/nvidia/cu13/lib", "13", "1");
  fs::create_directory(root.path() / "bare");
  const auto bare = (root.path() / "bare").string();
  const auto gone = (root.path() / "gone").string();
  const EnvironmentVariable home("CUDA_HOME", bare);
  const EnvironmentVariable path("CUDA_PATH", "");

  CHECK(emptyPlacesIn({{root.path() / "full", bare, gone}, {root.path() / "python", gone, bare}, true}) ==
        std::vector<std::string>{"toolchains.paths names '" + bare + "', which holds no libnvrtc",
                                 "toolchains.paths names '" + gone + "', which does not exist",
                                 "toolchains.python_prefixes names '" + gone + "', which does not exist",
                                 "toolchains.python_prefixes names '" + bare + "', which holds no libnvrtc",
                                 "CUDA_HOME names '" + bare + "', which holds no libnvrtc"});
  CHECK(emptyPlacesIn({{root.path() / "full", root.path() / "full/libnvrtc.so.13"}, {}, false}).empty());
}

TEST_CASE("the system is not searched unless asked for") {
  test::TemporaryDirectory root;
  writeLibrary(root.path() / "home/lib64", "13", "2");
  const EnvironmentVariable home("CUDA_HOME", (root.path() / "home").string());
  CHECK(find({{}, {}, false}).empty());
}

}  // namespace kiln::nvrtc
