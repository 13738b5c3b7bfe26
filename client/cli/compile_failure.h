// What the commands that compile say when that comes to nothing.
#pragma once

#include "client/cli/commands.h"
#include "client/cli/compile_request.h"

namespace kiln::cli {

ExitCode fail(const Context& context, const RequestProblem& problem);

// To standard error: the log byte for byte and, of a failure, what kiln makes of it.
void printDiagnostics(const client::Reply& reply);

}  // namespace kiln::cli
