// What a running kilnd would not serve of what was recorded, and why.
#pragma once

#include <variant>

#include "client/cli/build_plan.h"
#include "client/cli/coverage.h"
#include "client/cli/recorded_files.h"
#include "client/client.h"

namespace kiln::cli {

// Looks each task up as the application would, with the files that it was recorded with; compiles nothing.
// The error is what of the lock cannot be read, or that kilnd cannot be reached.
using CoverageError = std::variant<bundle::BundleError, client::Unreachable>;
std::expected<Coverage, CoverageError> coverageOf(const BuildPlan& plan, client::Client& client,
                                                  LockContents& contents);

}  // namespace kiln::cli
