// From the command line to a request.
#pragma once

#include <expected>
#include <variant>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/files.h"
#include "client/cli/reports.h"
#include "jit/failure.h"
#include "jit/request.h"

namespace kiln::cli {

// What stands in the way before anything was asked of kilnd.
using RequestProblem = std::variant<FileProblem, Failure>;

struct PreparedRequest {
  Request request;
  std::vector<WrittenOutput> outputs;  // where which output is to go
};

// Reads the source, the further inputs and the headers. Include directories and the target that stand among
// the options are left there for the client to take out.
std::expected<PreparedRequest, RequestProblem> prepareRequest(const CompileArguments& arguments);

}  // namespace kiln::cli
