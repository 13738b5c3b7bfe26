// What a bundle would not serve of what was recorded, and why.
#pragma once

#include <expected>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bundle/bundle_file.h"
#include "client/cli/build_plan.h"
#include "client/cli/recorded_files.h"

namespace kiln::cli {

// A kernel that would miss.
struct Uncovered {
  std::string kernel;
  std::string target;
  std::string reason;

  bool operator==(const Uncovered&) const = default;
};

struct Coverage {
  std::size_t covered = 0;
  std::vector<Uncovered> missing;
};

// What `missOf` says of each task: why it would miss, or that nothing can be told, which ends it.
template <typename MissOf>
auto coverageBy(const BuildPlan& plan, const MissOf& missOf)
    -> std::expected<Coverage, typename std::invoke_result_t<const MissOf&, const BuildTask&>::error_type> {
  Coverage coverage;
  for (const auto& task : plan.tasks) {
    auto reason = missOf(task);
    if (!reason) return std::unexpected(std::move(reason.error()));
    if (reason->empty()) {
      ++coverage.covered;
    } else {
      coverage.missing.push_back({task.kernel->name, shortName(task.target), std::move(*reason)});
    }
  }
  return coverage;
}

// Why a task is not covered whose entry is a failure that the recording does not have.
std::string doesNotCompile(const BuildTask& task, const Failure& failure);

// Looks each task up in the bundle as a node that has nothing else would: by the request, the toolchain that
// the application asks for, and the files that it was recorded with. The error is what of lock or bundle
// cannot be read.
bundle::BundleResult<Coverage> coverageOf(const BuildPlan& plan, const bundle::BundleFile& file,
                                          LockContents& contents);

}  // namespace kiln::cli
