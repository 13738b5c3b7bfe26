#include "client/cli/coverage.h"

#include <catch2/catch.hpp>

#include "bundled_samples.h"

namespace kiln::cli {
namespace {

using Catch::Contains;

// Why `kernel` would miss, empty if it would not.
std::string missOf(SampleRecording& recording, const bundle::LockedKernel& kernel,
                   const bundle::BundleFile& file, const std::string& target = "sm_90") {
  BuildPlan plan;
  plan.tasks = {{&kernel, targetOf(target), kernel.toolchain}};
  const auto coverage = coverageOf(plan, file, recording.contents());
  REQUIRE(coverage);
  CHECK(coverage->covered + coverage->missing.size() == 1);
  return coverage->missing.empty() ? "" : coverage->missing.front().reason;
}

bundle::BundledKernel built(SampleRecording& recording, const bundle::LockedKernel& kernel,
                            const std::string& target, bool namesBind = false) {
  return {kernel.name, bundle::identityOf(kernel), recording.entries(kernel, target, namesBind)};
}

}  // namespace

TEST_CASE("A kernel is covered by what was built of its recording, for its target alone") {
  SampleRecording recording;
  const auto kernel = recording.kernel();
  const auto file = recording.bundle({built(recording, kernel, "sm_90")});
  CHECK(missOf(recording, kernel, file).empty());
  CHECK(missOf(recording, kernel, file, "sm_80") == "it is built for sm_90 alone");
  auto other = kernel;
  other.source = recording.add("__global__ void other() {}\n");
  CHECK(missOf(recording, other, file) == "it was never built");
}

TEST_CASE("A kernel that was recorded in another directory is covered, unless names reach the output") {
  SampleRecording recording;
  const auto here = recording.kernel("/work");
  const auto there = recording.kernel("/elsewhere");
  REQUIRE(bundle::identityOf(here) != bundle::identityOf(there));
  CHECK(missOf(recording, there, recording.bundle({built(recording, here, "sm_90")})).empty());
  const auto bound = recording.bundle({built(recording, here, "sm_90", true)});
  CHECK(missOf(recording, here, bound).empty());
  CHECK_THAT(missOf(recording, there, bound), Contains("names reach the output"));
  // Of two the one that fits is found.
  const auto both =
      recording.bundle({built(recording, here, "sm_90", true), built(recording, there, "sm_90", true)});
  CHECK(missOf(recording, there, both).empty());
}

TEST_CASE("A kernel with another content of a file, or by another toolchain, is not covered") {
  SampleRecording recording;
  const auto kernel = recording.kernel();
  const auto file = recording.bundle({built(recording, kernel, "sm_90")});
  CHECK(missOf(recording, recording.kernel("/work", "#define V 8\n"), file) ==
        "it is built with another <include 0>/v.h");
  auto asks = kernel;
  asks.toolchain = "nvrtc 12.9";
  CHECK(missOf(recording, asks, file) ==
        "it is built by nvrtc 13.0, and the application asks for nvrtc 12.9");
}

TEST_CASE("An entry that asked for a directory which follows from the recorded files is no miss") {
  SampleRecording recording;
  const auto kernel = recording.kernel();
  auto asked = built(recording, kernel, "sm_90");
  auto& dependencies = asked.entries.front().dependencies;
  dependencies.push_back({{FileRole::includeDirectory, 0, ""}, FileKind::directory, 0, {}, {}, 0});
  dependencies = normalised(dependencies);
  CHECK(missOf(recording, kernel, recording.bundle({asked})).empty());
  dependencies.front().path.path = "unknown";
  CHECK(missOf(recording, kernel, recording.bundle({asked})) ==
        "it is built with another <include 0>/unknown");
}

TEST_CASE("An entry that says that the kernel does not compile covers it if the recording has that") {
  SampleRecording recording;
  auto kernel = recording.kernel();
  auto failed = built(recording, kernel, "sm_90");
  failed.entries.front().result = Failure{FailureKind::compileError, "no", "k.cu(1): no\n"};
  const auto file = recording.bundle({failed});
  CHECK(missOf(recording, kernel, file) ==
        "it does not compile for sm_90 (compile_error), and the recording has that it does");
  kernel.failsFor = {"sm_90"};
  CHECK(missOf(recording, kernel, file).empty());
}

TEST_CASE("Both stages of a kernel must be there, and have come to something") {
  SampleRecording recording;
  auto kernel = recording.kernel();
  kernel.virtualArchitecture = "compute_80";
  auto whole = built(recording, kernel, "sm_90");
  REQUIRE(whole.entries.size() == 2);
  CHECK(missOf(recording, kernel, recording.bundle({whole})).empty());
  auto failed = whole;
  failed.entries.back().result = Failure{FailureKind::compileError, "ptxas fatal", ""};
  CHECK_THAT(missOf(recording, kernel, recording.bundle({failed})), Contains("does not compile for sm_90"));
  auto cut = whole;
  cut.entries.pop_back();
  CHECK_THAT(missOf(recording, kernel, recording.bundle({cut})), Contains("alone"));
}

}  // namespace kiln::cli
