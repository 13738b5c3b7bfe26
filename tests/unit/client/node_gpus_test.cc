#include "client/node_gpus.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace kiln::client {
namespace {

void addNode(const std::filesystem::path& topology, const std::string& number,
             const std::string& properties) {
  std::filesystem::create_directories(topology / number);
  std::ofstream(topology / number / "properties") << properties;
}

bool runs(const std::string& code, const std::string& gpu) {
  return runsOn(parseTarget(code).value(), parseTarget(gpu).value());
}

}  // namespace

TEST_CASE("AMD's GPUs are told by the kernel's numbers for them, each architecture once") {
  test::TemporaryDirectory directory;
  addNode(directory.path(), "0", "cpu_cores_count 64\nsimd_count 0\ngfx_target_version 0\n");
  addNode(directory.path(), "1",
          "cpu_cores_count 0\nsimd_count 440\ngfx_target_version 90402\nvendor_id 4098\n");
  addNode(directory.path(), "2", "simd_count 440\ngfx_target_version 90402\n");
  addNode(directory.path(), "3", "gfx_target_version 90010\n");
  addNode(directory.path(), "4", "gfx_target_version 100300\n");
  addNode(directory.path(), "5", "gfx_target_version 110501\n");
  std::vector<std::string> names;
  for (const auto& gpu : amdGpusIn(directory.path())) names.push_back(gpu.name);
  CHECK(names == std::vector<std::string>{"gfx1030", "gfx1151", "gfx90a", "gfx942"});
  CHECK(amdGpusIn(directory.path() / "nowhere").empty());
}

TEST_CASE("code runs on GPUs of its own major version that are not earlier, PTX on all that are not") {
  CHECK(runs("sm_80", "sm_80"));
  CHECK(runs("sm_80", "sm_86"));
  CHECK_FALSE(runs("sm_86", "sm_80"));
  CHECK_FALSE(runs("sm_80", "sm_90"));
  CHECK(runs("compute_80", "sm_90"));
  CHECK_FALSE(runs("compute_90", "sm_80"));
}

TEST_CASE("what is for one architecture runs on that, what is for a family within it") {
  CHECK(runs("sm_90a", "sm_90"));
  CHECK_FALSE(runs("sm_100a", "sm_103"));
  CHECK_FALSE(runs("compute_100a", "sm_103"));
  CHECK(runs("sm_100f", "sm_103"));
  CHECK_FALSE(runs("sm_100f", "sm_120"));
  CHECK_FALSE(runs("compute_100f", "sm_120"));
}

TEST_CASE("code for one vendor runs on no GPU of another, and AMD's on its own processor") {
  CHECK(runs("gfx90a:xnack-", "gfx90a"));
  CHECK_FALSE(runs("gfx90a", "gfx942"));
  CHECK_FALSE(runs("gfx90a", "sm_90"));
  CHECK_FALSE(runs("sm_90", "gfx90a"));
  CHECK_FALSE(runs("x86-64-v3", "sm_90"));
}

}  // namespace kiln::client
