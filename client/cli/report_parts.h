// What several reports have in common.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/lock.h"
#include "client/cli/report.h"
#include "jit/artifact.h"
#include "jit/dependencies.h"
#include "jit/failure.h"

namespace kiln::cli {

std::string_view name(FileKind kind);

// Of targets, as shortName() has them: a processor has dozens of features.
List shortNames(const std::set<std::string>& targets);

// What a lock could not capture.
Report::Table uncapturedTable(const std::vector<bundle::Uncaptured>& uncaptured);
Report::Record failureRecord(const Failure& failure);
Report::Table loweredNameTable(const std::vector<LoweredName>& names);
// A column for each resource, the kernel last; text leaves out the columns without a figure.
Report::Table resourceTable(const ResourceUsage& usage);
Report::Table dependencyTable(const DependencySet& dependencies);

}  // namespace kiln::cli
