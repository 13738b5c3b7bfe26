#include "frontends/process/names_in_output.h"

#include <catch2/catch.hpp>

using namespace kiln;

namespace {

bool holds(const std::string& source, const std::string& output) {
  Artifact artifact;
  artifact.outputs.push_back({OutputKind::ptx, output, {}});
  return outputsHoldSourceName(artifact, {source, "/", {}});
}

}  // namespace

TEST_CASE("a name that the compiler built the source's name into is found") {
  CHECK(holds("/tmp/x/my-kernel.cu", "_ZN36_INTERNAL_00000000_12_my_kernel_cu_1074d175_5"));
  CHECK(holds("k.cu", ".func _ZN28_INTERNAL_00000000_4_k_cu_kk30_GLOBAL__N__00000000_4_k_cu_kk4anonEi"));
}

TEST_CASE("an output without the source's name is not mistaken for one with it") {
  CHECK_FALSE(holds("k.cu", ".entry k_cu(\n"));
  CHECK_FALSE(holds("k.cu", "_ZN28_INTERNAL_00000000_5_k2_cu_kk"));
  CHECK_FALSE(holds("k", ".visible .entry k("));
}
