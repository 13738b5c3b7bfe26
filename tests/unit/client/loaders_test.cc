#include "client/loaders/loader.h"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "client/host_target.h"
#include "tests/support/sample_binaries.h"

// The environment leads to the stand-ins for drivers, with devices that the binaries of sample_binaries.h are
// for.
namespace kiln::client {
namespace {

std::span<const std::byte> bytesOf(const std::string& text) { return std::as_bytes(std::span(text)); }

Loader& loader(LoaderKind kind, const char* device = "sm_0") {
  ::setenv("KILN_STAND_IN_DEVICE", device, 1);
  auto found = loaderFor(kind);
  REQUIRE(found);
  return **found;
}

// Every beginning of `binary` that differs from it, at its full length so that a driver, which is told no
// size, reads no other memory.
void checkTruncated(Loader& loader, const std::string& binary) {
  unsigned tried = 0;
  for (std::size_t size = 0; size < binary.size(); ++size) {
    auto cut = binary.substr(0, size) + std::string(binary.size() - size, '\0');
    if (cut == binary) continue;
    auto module = loader.load(bytesOf(cut), "k.cu for sm_0");
    INFO(size);
    if (module) continue;  // what is missing is nothing that is read
    CHECK(module.error().kind == LoadProblem::Kind::refused);
    CHECK_THAT(module.error().message, Catch::Contains("k.cu for sm_0"));
    ++tried;
  }
  CHECK(tried > 100);
}

std::string sharedObject() {
  std::ifstream file(KILN_SHARED_OBJECT, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a driver gives a module with the kernels that the binary has") {
  const auto cubin = test::sampleCubin();
  for (auto kind : {LoaderKind::cudaModule, LoaderKind::cudaLibrary}) {
    auto module = loader(kind).load(bytesOf(cubin), "k.cu for sm_0");
    REQUIRE(module);
    CHECK((*module)->handle() != nullptr);
    CHECK((*module)->function("k"));
    auto missing = (*module)->function("nothing");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().kind == LoadProblem::Kind::noSuchSymbol);
    CHECK_THAT(missing.error().message, Catch::Contains("'nothing'") && Catch::Contains("k.cu for sm_0"));
  }
  auto module =
      loader(LoaderKind::hipModule, "gfx000").load(bytesOf(test::sampleHsaco(test::sampleMetadata())), "k");
  REQUIRE(module);
  CHECK((*module)->function("k"));
}

TEST_CASE("a binary that is cut short anywhere is refused") {
  checkTruncated(loader(LoaderKind::cudaModule), test::sampleCubin());
  checkTruncated(loader(LoaderKind::hipModule, "gfx000"), test::sampleHsaco(test::sampleMetadata()));
}

TEST_CASE("a binary of one vendor is refused by the other's driver, and by the host") {
  const auto hsaco = test::sampleHsaco(test::sampleMetadata());
  for (auto kind : {LoaderKind::cudaModule, LoaderKind::host}) {
    auto module = loader(kind).load(bytesOf(hsaco), "k");
    REQUIRE_FALSE(module);
    CHECK(module.error().kind == LoadProblem::Kind::refused);
  }
}

TEST_CASE("a binary for another device is told from a damaged one") {
  auto module = loader(LoaderKind::cudaModule, "sm_90").load(bytesOf(test::sampleCubin()), "k");
  REQUIRE_FALSE(module);
  CHECK(module.error().kind == LoadProblem::Kind::unfit);
}

TEST_CASE("a shared object is loaded as often as it is asked for, and each is its own") {
  const auto object = sharedObject();
  REQUIRE_FALSE(object.empty());
  auto& host = loader(LoaderKind::host);
  auto first = host.load(bytesOf(object), "k");
  auto second = host.load(bytesOf(object), "k");
  REQUIRE(first);
  REQUIRE(second);
  CHECK((*first)->handle() != (*second)->handle());
  CHECK(*(*first)->function("fileCall") != *(*second)->function("fileCall"));
  first->reset();
  auto third = host.load(bytesOf(object), "k");
  REQUIRE(third);
  CHECK((*third)->handle() != (*second)->handle());
}

TEST_CASE("a shared object whose segments are not all there is refused and not mapped") {
  const auto object = sharedObject();
  auto& host = loader(LoaderKind::host);
  for (const std::size_t size : {0, 3, 63, 64, 500, 4096}) {
    auto module = host.load(bytesOf(object.substr(0, size)), "k.ll for znver4");
    INFO(size);
    REQUIRE_FALSE(module);
    CHECK(module.error().kind == LoadProblem::Kind::refused);
    CHECK_THAT(module.error().message, Catch::Contains("k.ll for znver4"));
  }
}

}  // namespace kiln::client
