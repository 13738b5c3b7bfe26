// The pool with the real kiln-compiler and the real NVRTC.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "frontends/pool/describe.h"
#include "pool_fixture.h"

using namespace kiln;
using Catch::Matchers::Contains;

namespace {

std::filesystem::path program() {
  const char* folder = std::getenv("KILN_TEST_BIN_DIR");
  INFO("set KILN_TEST_BIN_DIR to the folder that holds kiln-compiler");
  REQUIRE(folder != nullptr);
  return std::filesystem::path(folder) / "kiln-compiler";
}

Toolchain nvrtc() {
  const char* folder = std::getenv("KILN_TEST_NVRTC_13_0");
  auto library =
      std::filesystem::path(folder == nullptr ? "/usr/local/cuda/lib64" : folder) / "libnvrtc.so.13";
  INFO("set KILN_TEST_NVRTC_13_0 to the folder that holds libnvrtc.so.13");
  REQUIRE(std::filesystem::exists(library));
  Toolchain toolchain;
  toolchain.frontend = "nvrtc";
  toolchain.library = std::filesystem::canonical(library);
  describe(toolchain, program());
  return toolchain;
}

}  // namespace

TEST_CASE("The real compiler compiles a kernel whose header the client has") {
  PoolFixture fixture({.compilerProgram = program()});
  auto toolchain = nvrtc();
  REQUIRE(toolchain.problem == "");
  CHECK(toolchain.name == "nvrtc 13.0");
  CHECK_THAT(toolchain.targets, Catch::VectorContains(std::string("sm_90")));

  StandInFiles files([](FileQuestion question) -> kj::Promise<FileReply> {
    if (question.path == "/work") return FileReply{{.kind = FileAnswer::Kind::directory, .identity = 1}};
    if (question.path != "/work/scale.h") {
      return FileReply{{.kind = FileAnswer::Kind::absent, .text = question.path}};
    }
    return FileReply{
        {.kind = FileAnswer::Kind::file, .identity = 2, .size = 19, .text = "#define SCALE 2.5f\n"}};
  });
  auto request = requestFor(
      "#include \"scale.h\"\n"
      "extern \"C\" __global__ void scale(float* x) { x[threadIdx.x] *= SCALE; }\n");
  auto compiled =
      fixture.pool->compile(toolchain, request, std::chrono::seconds(60), files).wait(fixture.io.waitScope);
  CHECK(failureOf(compiled).message == "");
  CHECK_THAT(outputOf(compiled), Catch::StartsWith("\x7f"
                                                   "ELF"));
  CHECK(compiled.unclean.empty());
  CHECK(std::ranges::any_of(compiled.dependencies, [](const Dependency& dependency) {
    return dependency.kind == FileKind::file && dependency.path.path == "scale.h";
  }));

  request.source = "__global__ void k() { undeclared(); }";
  auto failed =
      fixture.pool->compile(toolchain, request, std::chrono::seconds(60), files).wait(fixture.io.waitScope);
  CHECK(failureOf(failed).kind == FailureKind::compileError);
  CHECK_THAT(failureOf(failed).log, Contains("undeclared"));
  fixture.pool = nullptr;
  CHECK(hasNoChildren());
}
