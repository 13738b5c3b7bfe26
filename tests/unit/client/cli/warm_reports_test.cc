#include <catch2/catch.hpp>

#include "client/cli/bundle_fit.h"
#include "client/cli/reports.h"
#include "golden.h"

namespace kiln::cli {
namespace {

using Catch::Contains;

Sha256 digestOf(std::uint8_t byte) {
  Sha256 digest;
  digest.bytes.fill(byte);
  return digest;
}

void checkGolden(const Report& report, const std::string& name) {
  CHECK(printText(report) == golden(name + ".txt"));
  CHECK(printJson(report) == golden(name + ".json"));
}

BundleRecord someBundle() {
  BundleRecord bundle;
  bundle.digest = digestOf(0x33);
  bundle.name = "app.kiln";
  bundle.warmedAt = 1'700'000'000;
  bundle.entries = 3;
  bundle.bytes = 8'000;
  bundle.toolchains = {{"nvrtc 13.0", "nvrtc", "13.0", Language::cuda, digestOf(0xaa), {"sm_80"}}};
  return bundle;
}

Target targetOf(const std::string& text) { return parseTarget(text).value(); }

client::ToolchainReply toolchain(const std::string& name, std::uint8_t identity, bool isFromBundle = false) {
  Toolchain toolchain;
  toolchain.name = name;
  toolchain.library = isFromBundle ? "" : "/usr/lib/libnvrtc.so";
  toolchain.identity = digestOf(identity);
  return {toolchain, false, isFromBundle};
}

// A bundle with an entry for each target, all by nvrtc 13.0 of identity 0xaa.
bundle::BundleIndex indexFor(const std::vector<std::string>& targets) {
  bundle::BundleIndex index;
  auto& kernel = index.kernels.emplace_back();
  for (const auto& target : targets) {
    auto& entry = kernel.entries.emplace_back();
    entry.target = target;
    entry.toolchain = digestOf(0xaa);
  }
  index.toolchains = {{"nvrtc 13.0", "nvrtc", "13.0", "", Language::cuda, digestOf(0xaa), targets, ""}};
  return index;
}

NodeSide nodeWith(const std::vector<std::string>& gpus, std::vector<client::ToolchainReply> toolchains = {}) {
  NodeSide node;
  for (const auto& gpu : gpus) node.gpus.push_back(targetOf(gpu));
  node.host = targetOf("znver4");
  node.hostLevel = "x86-64-v3";
  node.toolchains = std::move(toolchains);
  return node;
}

}  // namespace

TEST_CASE("what was warmed is reported with what fits the node and what does not") {
  const client::WarmReply reply{false, someBundle(), ""};
  const BundleFit fit{std::vector<std::string>{"compute_80", "sm_80"}, {"one thing", "another"}};
  checkGolden(reportOfWarmed("out/app.kiln", reply, fit), "warm");
  checkGolden(reportOfWarmed("out/app.kiln", reply, {{}, {"nobody knows"}}), "warm_of_unknown_fit");
}

TEST_CASE("bundles on a node are one table") {
  checkGolden(reportOf(std::vector{someBundle()}), "warm_list");
  checkGolden(reportOfRemoved(someBundle()), "warm_remove");
}

TEST_CASE("lanes are one table") {
  checkGolden(reportOf(std::vector<client::LaneReply>{{"/run/kiln/kilnd.sock", "default", "open"},
                                                      {"/run/kiln/locked.sock", "default", "locked"}}),
              "lanes");
}

TEST_CASE("of a bundle the targets that run on the node's GPUs fit") {
  const auto index =
      indexFor({"sm_80", "sm_90", "sm_90a", "sm_100", "compute_80", "compute_100", "gfx90a:xnack-"});
  const auto fit = fitOf(index, nodeWith({"sm_90"}));
  CHECK(fit.targets == std::vector<std::string>{"compute_80", "sm_90", "sm_90a"});
  REQUIRE(fit.notes.size() == 1);
  CHECK_THAT(fit.notes[0], Contains("no GPU for what is for AMD") && Contains("gfx90a"));
  CHECK(fitOf(index, nodeWith({"sm_86", "gfx90a"})).targets ==
        std::vector<std::string>{"compute_80", "gfx90a:xnack-", "sm_80"});
}

TEST_CASE("a bundle for other GPUs than the node's says what it is for and how to build one") {
  const auto fit = fitOf(indexFor({"sm_80", "sm_90a"}), nodeWith({"sm_100"}));
  CHECK(fit.targets == std::vector<std::string>{});
  REQUIRE(fit.notes.size() == 1);
  CHECK_THAT(fit.notes[0], Contains("sm_80, sm_90a") && Contains("--target sm_100"));
}

TEST_CASE("a bundle for the host fits where it is for this processor, or for a level of processors") {
  CHECK(fitOf(indexFor({"x86-64", "x86-64-v3", "x86-64-v4", "x86-64-v3:adx+"}), nodeWith({})).targets ==
        std::vector<std::string>{"x86-64", "x86-64-v3"});
  CHECK(fitOf(indexFor({"x86-64-v4"}), nodeWith({})).notes.size() == 1);
  CHECK(fitOf(indexFor({"znver4"}), nodeWith({})).targets == std::vector<std::string>{"znver4"});
  const auto fit = fitOf(indexFor({"skylake"}), nodeWith({}));
  REQUIRE(fit.notes.size() == 1);
  CHECK_THAT(fit.notes[0], Contains("skylake") && Contains("znver4"));
}

TEST_CASE("a bundle by another toolchain than the node's says who finds its entries") {
  const auto notes = [](std::vector<client::ToolchainReply> toolchains, bool isLocked = false) {
    auto node = nodeWith({"sm_80"}, std::move(toolchains));
    node.isLocked = isLocked;
    return fitOf(indexFor({"sm_80", "sm_80"}), node).notes;
  };
  CHECK(notes({toolchain("nvrtc 13.0", 0xaa)}).empty());
  CHECK(notes({}).empty());
  CHECK(notes({toolchain("nvrtc 13.0", 0xaa, true)}).empty());
  const auto otherBuild = notes({toolchain("nvrtc 13.0", 0xbb)});
  REQUIRE(otherBuild.size() == 1);
  CHECK_THAT(otherBuild[0], Contains("2 entries") && Contains("another build of nvrtc 13.0"));
  const auto otherVersion = notes({toolchain("nvrtc 12.9", 0xbb)});
  REQUIRE(otherVersion.size() == 1);
  CHECK_THAT(otherVersion[0], Contains("by nvrtc 13.0") && Contains("nvrtc 12.9"));
  CHECK(notes({toolchain("nvrtc 12.9", 0xbb)}, true).empty());
}

}  // namespace kiln::cli
