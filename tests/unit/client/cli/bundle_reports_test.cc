#include <catch2/catch.hpp>

#include "client/cli/reports.h"
#include "golden.h"

namespace kiln::cli {
namespace {

Sha256 digestOf(std::uint8_t byte) {
  Sha256 digest;
  digest.bytes.fill(byte);
  return digest;
}

bundle::IndexedEntry entryFor(const std::string& target, const std::string& outcome = "artifact") {
  bundle::IndexedEntry entry;
  entry.requestSha256 = digestOf(static_cast<std::uint8_t>(target.back()));
  entry.target = target;
  entry.toolchain = digestOf(0xaa);
  entry.outcome = outcome;
  entry.bytes = outcome == "artifact" ? 4000 : 0;
  return entry;
}

bundle::BundleIndex someIndex() {
  bundle::BundleIndex index;
  bundle::IndexedKernel scale;
  scale.name = "scale.cu: scale<float>";
  scale.layer = digestOf(0x11);
  scale.entries = {entryFor("sm_80"), entryFor("sm_90a")};
  bundle::IndexedKernel broken;
  broken.name = "broken.cu";
  broken.layer = digestOf(0x22);
  broken.entries = {entryFor("sm_80", "compile_error")};
  index.kernels = {broken, scale};
  index.toolchains = {{"nvrtc 13.0", "nvrtc", "13.0", "", Language::cuda, digestOf(0xaa), {"sm_80"}, ""}};
  return index;
}

void checkGolden(const Report& report, const std::string& name) {
  CHECK(printText(report) == golden(name + ".txt"));
  CHECK(printJson(report) == golden(name + ".json"));
}

}  // namespace

TEST_CASE("a lock is reported with what could not be captured") {
  bundle::Lock lock;
  lock.kernels.resize(2);
  lock.kernels[0].targets = {"sm_80", "sm_90a"};
  lock.kernels[1].targets = {"sm_80"};
  lock.uncaptured = {{"k.cu", "kilnd cannot be reached"}};
  checkGolden(reportOf(lock, "app.lock"), "record");
}

TEST_CASE("a build is reported with what failed and what was left out") {
  BuildResult result;
  result.path = "app.kiln";
  result.digest = digestOf(0x33);
  result.index = someIndex();
  result.compiled = 2;
  result.failures = {
      {"picky.cu: k", "sm_80", {FailureKind::compileError, "NVRTC found errors", "picky.cu(1): no\n"}}};
  result.unplanned = {{"saxpy.hip", "it is for AMD, and no --target is"}};
  result.uncaptured = {{"lost.cu", "kilnd cannot be reached"}};
  checkGolden(reportOf(result), "build");
}

TEST_CASE("the kernels of a bundle are one table") { checkGolden(reportOfKernels(someIndex()), "bundle_ls"); }

TEST_CASE("a bundle is shown with the identities of its toolchains") {
  checkGolden(reportOfBundle("app.kiln", digestOf(0x33), someIndex()), "bundle_show");
}

TEST_CASE("differences of bundles are one table") {
  auto changed = someIndex();
  changed.kernels.back().entries.front().dependencies = digestOf(0x44);
  changed.kernels.back().entries.pop_back();
  checkGolden(reportOf(differences(someIndex(), changed)), "bundle_diff");
  CHECK(differences(someIndex(), someIndex()).empty());
}

TEST_CASE("an exchanged binary or log is a difference") {
  auto changed = someIndex();
  changed.kernels.back().entries.front().outputs = digestOf(0x55);
  CHECK(differences(someIndex(), changed) ==
        std::vector<BundleDifference>{
            {"scale.cu: scale<float>", "sm_80", "nvrtc 13.0", "the binary or its log"}});
}

TEST_CASE("kernels of one name are compared each with its own, whatever the order of their layers") {
  const auto indexOf = [](const std::vector<std::pair<std::uint8_t, std::uint8_t>>& requestsAndFiles) {
    bundle::BundleIndex index;
    for (const auto& [request, files] : requestsAndFiles) {
      auto& kernel = index.kernels.emplace_back();
      kernel.name = "scale.cu: scale";
      kernel.layer = digestOf(static_cast<std::uint8_t>(index.kernels.size()));
      kernel.entries = {entryFor("sm_80")};
      kernel.entries.front().requestSha256 = digestOf(request);
      kernel.entries.front().dependencies = digestOf(files);
    }
    return index;
  };
  const auto whats = [](const bundle::BundleIndex& a, const bundle::BundleIndex& b) {
    std::vector<std::string> all;
    for (const auto& one : differences(a, b)) all.push_back(one.what);
    return all;
  };
  using Whats = std::vector<std::string>;
  CHECK(whats(indexOf({{1, 1}, {2, 1}}), indexOf({{2, 1}, {1, 1}})).empty());
  CHECK(whats(indexOf({{1, 1}, {2, 1}}), indexOf({{2, 9}, {1, 1}})) == Whats{"a file that it depends on"});
  CHECK(whats(indexOf({{1, 1}, {1, 2}}), indexOf({{1, 2}, {1, 3}})) == Whats{"a file that it depends on"});
  CHECK(whats(indexOf({{1, 1}, {2, 1}}), indexOf({{2, 1}})) == Whats{"in the first alone"});
  CHECK(whats(indexOf({{1, 1}}), indexOf({{3, 1}, {1, 1}})) == Whats{"in the second alone"});
  CHECK(whats(indexOf({{1, 1}}), indexOf({{3, 1}})) == Whats{"the source, its options or its names"});
}

TEST_CASE("coverage tells what would miss and why") {
  checkGolden(
      reportOf({5, {{"k.cu: k", "sm_100", "it is built for sm_80 alone"}}},
               {{"x.hip", "it is for AMD, and no --target is"}}, {{"lost.cu", "kilnd cannot be reached"}}),
      "coverage");
}

}  // namespace kiln::cli
