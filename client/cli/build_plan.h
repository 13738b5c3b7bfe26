// What `kiln build` is to compile.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "bundle/bundle.h"
#include "bundle/lock.h"
#include "client/client.h"

namespace kiln::cli {

// A kernel for a target by a toolchain.
struct BuildTask {
  const bundle::LockedKernel* kernel;
  Target target;
  std::string toolchain;  // empty: the newest for the language
};

struct Unplanned {
  std::string kernel;
  std::string reason;
};

struct BuildPlan {
  std::vector<BuildTask> tasks;
  std::vector<Unplanned> unplanned;  // kernels that nothing is to be compiled of
};

// Every kernel for each of `targets` that is of a vendor that it was recorded for, without any for those that
// it was recorded for; and PTX for the virtual architectures that it was recorded for, since no hardware
// decides these. By each of `toolchains` that is for its language (names as chooseToolchain() takes them),
// without any by the one that the application asks for. The error says which of `toolchains` there is not.
// The plan points into `lock`.
std::expected<BuildPlan, std::string> planBuild(const bundle::Lock& lock, const std::vector<Target>& targets,
                                                const std::vector<std::string>& toolchains,
                                                const ToolchainList& known);

// Why the plan, which is made of `lock`, has no task; empty if it has one.
std::string whyEmpty(const BuildPlan& plan, const bundle::Lock& lock);

// Whether a compile error is what the recording has: it failed for the target, or, where the target was not
// recorded, for all of its vendor that were.
bool isExpectedToFail(const BuildTask& task);

// The failure that came of a task though the recording does not have it; null if there is none. `entries` are
// those of its stages.
const Failure* unexpectedFailure(const BuildTask& task, std::span<const bundle::BundledEntry> entries);

}  // namespace kiln::cli
