// What each command does: asks kilnd, prints the answer, tells the exit status.
#pragma once

#include "client/cli/arguments.h"
#include "client/cli/exit_code.h"
#include "client/cli/report.h"
#include "client/client.h"

namespace kiln::cli {

struct Context {
  Format format = Format::text;
  client::ClientOptions client;  // options for every connection that a command makes
};

// To standard output, as the format wants it.
void print(const Context& context, const Report& report);
// Says that the command came to nothing: text to standard error; JSON, with `kind`, to standard output.
ExitCode fail(const Context& context, ExitCode code, const std::string& kind, const std::string& message);
ExitCode fail(const Context& context, const client::Unreachable& unreachable);

ExitCode run(const Context& context, const CompileArguments& arguments);
ExitCode run(const Context& context, const RunArguments& arguments);
ExitCode run(const Context& context, const RecordArguments& arguments);
ExitCode run(const Context& context, const BuildArguments& arguments);
ExitCode run(const Context& context, const BundleArguments& arguments);
ExitCode run(const Context& context, const CoverageArguments& arguments);
ExitCode run(const Context& context, const WarmArguments& arguments);
ExitCode run(const Context& context, const LanesArguments& arguments);
ExitCode run(const Context& context, const ToolchainsArguments& arguments);
ExitCode run(const Context& context, const StatsArguments& arguments);
ExitCode run(const Context& context, const ListArguments& arguments);
ExitCode run(const Context& context, const ShowArguments& arguments);
ExitCode run(const Context& context, const StatusArguments& arguments);
ExitCode run(const Context& context, const StopArguments& arguments);

}  // namespace kiln::cli
