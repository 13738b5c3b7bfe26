#include "client/cli/build_plan.h"

#include <catch2/catch.hpp>

namespace kiln::cli {
namespace {

using Catch::Contains;

Target targetOf(const std::string& text) { return parseTarget(text).value(); }

bundle::LockedKernel kernelFor(std::vector<std::string> targets, std::vector<std::string> failsFor = {}) {
  bundle::LockedKernel kernel;
  kernel.name = "k.cu: k";
  kernel.targets = std::move(targets);
  kernel.failsFor = std::move(failsFor);
  return kernel;
}

std::vector<std::string> targetsOf(const BuildPlan& plan) {
  std::vector<std::string> names;
  for (const auto& task : plan.tasks) names.push_back(task.target.name);
  return names;
}

BuildPlan planFor(const bundle::Lock& lock, const std::vector<std::string>& names) {
  std::vector<Target> targets;
  for (const auto& name : names) targets.push_back(targetOf(name));
  return planBuild(lock, targets, {}, {}).value();
}

bool isExpectedToFail(const bundle::LockedKernel& kernel, const std::string& target) {
  return cli::isExpectedToFail({&kernel, targetOf(target), ""});
}

}  // namespace

TEST_CASE("A kernel is built for what it was recorded for, or for the targets of its vendor") {
  const bundle::Lock lock{{kernelFor({"sm_80", "sm_90"})}, {}};
  CHECK(targetsOf(planFor(lock, {})) == std::vector<std::string>{"sm_80", "sm_90"});
  CHECK(targetsOf(planFor(lock, {"sm_100", "gfx942"})) == std::vector<std::string>{"sm_100"});
  const bundle::Lock withPtx{{kernelFor({"compute_80", "sm_90"})}, {}};
  CHECK(targetsOf(planFor(withPtx, {"sm_100"})) == std::vector<std::string>{"sm_100", "compute_80"});
}

TEST_CASE("A plan for no vendor of a kernel says so, and one without any task why it has none") {
  const bundle::Lock lock{{kernelFor({"sm_80"})}, {}};
  const auto plan = planFor(lock, {"gfx942"});
  REQUIRE(plan.unplanned.size() == 1);
  CHECK_THAT(whyEmpty(plan, lock), Contains("'k.cu: k', it is for NVIDIA, and no --target is"));
  CHECK(whyEmpty(planFor(lock, {}), lock).empty());
  const bundle::Lock uncaptured{{}, {{"k\x1b.cu", "kilnd cannot be reached"}}};
  CHECK_THAT(whyEmpty(planFor(uncaptured, {}), uncaptured),
             Contains("could not be captured: 'k\\x1b.cu', kilnd cannot be reached"));
  CHECK_THAT(whyEmpty({}, {}), Contains("it has no kernels"));
}

TEST_CASE(
    "A failure is expected where it was recorded, and elsewhere if nothing of the vendor was seen to work") {
  CHECK_FALSE(isExpectedToFail(kernelFor({"sm_80", "sm_90"}), "sm_80"));
  const auto some = kernelFor({"sm_80", "sm_90"}, {"sm_80"});
  CHECK(isExpectedToFail(some, "sm_80"));
  CHECK_FALSE(isExpectedToFail(some, "sm_90"));
  CHECK_FALSE(isExpectedToFail(some, "sm_100"));
  const auto all = kernelFor({"sm_80", "sm_90"}, {"sm_80", "sm_90"});
  CHECK(isExpectedToFail(all, "sm_100"));
  CHECK_FALSE(isExpectedToFail(all, "gfx942"));
}

TEST_CASE("The failure of any stage counts, unless the recording has it") {
  std::vector<bundle::BundledEntry> entries(2);
  const auto works = kernelFor({"sm_90"});
  const auto fails = kernelFor({"sm_90"}, {"sm_90"});
  const BuildTask task{&works, targetOf("sm_90"), ""};
  CHECK(unexpectedFailure(task, entries) == nullptr);
  entries.back().result = Failure{FailureKind::compileError, "ptxas fatal"};
  REQUIRE(unexpectedFailure(task, entries) != nullptr);
  CHECK(unexpectedFailure(task, entries)->message == "ptxas fatal");
  CHECK(unexpectedFailure({&fails, task.target, ""}, entries) == nullptr);
}

}  // namespace kiln::cli
