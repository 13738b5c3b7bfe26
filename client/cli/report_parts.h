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
Report::Table dependencyTable(const DependencySet& dependencies);

}  // namespace kiln::cli
