#include "frontends/pool/describe.h"

#include <catch2/catch.hpp>

#include "pool_fixture.h"

using namespace kiln;
using Catch::Matchers::Contains;

namespace {

Toolchain described(const std::string& behaviour,
                    std::chrono::milliseconds limit = std::chrono::seconds(30)) {
  TemporaryDirectory directory;
  Toolchain toolchain;
  toolchain.frontend = "standin";
  toolchain.library = directory.path() / "library";
  std::ofstream(toolchain.library) << behaviour << "\n";
  describe(toolchain, standInCompiler(), limit);
  return toolchain;
}

}  // namespace

TEST_CASE("A toolchain gets its name, version and targets from the library") {
  auto toolchain = described("");
  CHECK(toolchain.name == "standin 7.5");
  CHECK(toolchain.version == "7.5");
  CHECK(toolchain.targets == std::vector<std::string>{"sm_80", "sm_90"});
  CHECK(toolchain.problem.empty());
}

TEST_CASE("A toolchain that cannot be described has the problem and is named by its library") {
  auto toolchain = described("refuse it lacks a symbol");
  CHECK(toolchain.name == "standin " + toolchain.library);
  CHECK_THAT(toolchain.problem,
             Contains("--describe standin " + toolchain.library) && Contains("it lacks a symbol"));
  CHECK_THAT(described("die").problem, Contains("SIGSEGV"));
  CHECK_THAT(described("hang", std::chrono::milliseconds(200)).problem, Contains("200 ms"));
  CHECK(hasNoChildren());
}

TEST_CASE("A compiler program that cannot be run is the toolchain's problem") {
  Toolchain toolchain;
  toolchain.frontend = "standin";
  describe(toolchain, "/nowhere/kiln-compiler");
  CHECK_THAT(toolchain.problem, Contains("/nowhere/kiln-compiler") && Contains("No such file"));
}
