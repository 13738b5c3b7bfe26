// What several reports have in common.
#pragma once

#include <string_view>
#include <vector>

#include "client/cli/report.h"
#include "jit/artifact.h"
#include "jit/dependencies.h"
#include "jit/failure.h"

namespace kiln::cli {

std::string_view name(FileKind kind);

Report::Record failureRecord(const Failure& failure);
Report::Table loweredNameTable(const std::vector<LoweredName>& names);
// A column for each resource, the kernel last; text leaves out the columns without a figure.
Report::Table resourceTable(const ResourceUsage& usage);
Report::Table dependencyTable(const DependencySet& dependencies);

}  // namespace kiln::cli
