#include "jit/binary/resources.h"

#include <catch2/catch.hpp>

#include "tests/support/sample_binaries.h"

using namespace kiln;
using namespace kiln::binary;
using namespace kiln::test;

TEST_CASE("A binary is read as what its machine says it is") {
  auto kernelOf = [](const std::string& file) { return readResources(asBytes(file)).value().at(0); };
  CHECK(kernelOf(sampleCubin()).figures.at(Resource::stackBytes) == 96);
  CHECK(kernelOf(sampleHsaco(sampleMetadata())).figures.at(Resource::registers) == 300);
  CHECK(readResources(asBytes(sampleElf(62, {}))).error().what ==
        "is an ELF file for machine 62, which is no GPU that kiln knows");
}

TEST_CASE("Of a compile's outputs those that are machine code are read") {
  auto usage = resourcesOf({{OutputKind::cubin, sampleCubin(), {}}, {OutputKind::ptx, ".version 9.0\n", {}}});
  REQUIRE(usage.kernels.size() == 1);
  CHECK(usage.kernels[0].kernel == "k");
  CHECK(usage.problem.empty());
  CHECK(resourcesOf({{OutputKind::ptx, "", {}}, {OutputKind::ltoir, "", {}}}) == ResourceUsage{});
}

TEST_CASE("Machine code that cannot be read is a problem, which names it") {
  auto usage = resourcesOf({{OutputKind::cubin, "bytes", {}}});
  CHECK(usage.kernels.empty());
  CHECK(usage.problem == "the cubin is no ELF file of 64 bits");
}
