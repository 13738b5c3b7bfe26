#include "client/cli/commands.h"
#include "client/cli/compile_failure.h"
#include "client/cli/compile_request.h"
#include "client/cli/kernel_call.h"
#include "client/cli/reports.h"
#include "client/module.h"

namespace kiln::cli {
namespace {

ExitCode fail(const Context& context, const client::LoadProblem& problem) {
  const bool isMissing = problem.kind == client::LoadProblem::Kind::noSuchSymbol;
  return isMissing ? cli::fail(context, ExitCode::refused, "no_such_kernel", problem.message)
                   : cli::fail(context, ExitCode::notFinished, "not_loaded", problem.message);
}

}  // namespace

ExitCode run(const Context& context, const RunArguments& arguments) {
  auto prepared = prepareRequest(arguments.compile);
  if (!prepared) return cli::fail(context, prepared.error());
  auto& request = prepared->request;
  if (request.target.kind != Target::Kind::host) {
    return cli::fail(context, ExitCode::usage, "usage",
                     "kiln run calls kernels on this processor, and " + request.target.name +
                         " is none; leave --target out, or give one such as x86-64-v3");
  }
  client::Client client(context.client);
  const client::CompileOptions options{arguments.compile.toolchain, arguments.compile.priority,
                                       arguments.compile.timeout};
  auto loaded = client::compileAndLoad(client, std::move(request), options, client::LoaderKind::host);
  if (loaded.reply && !*loaded.reply) return cli::fail(context, loaded.reply->error());
  if (loaded.reply) {
    const auto& reply = **loaded.reply;
    if (context.format == Format::text) printDiagnostics(reply);
    if (reply.failure) {
      if (context.format == Format::json) print(context, reportOf(reply, {}));
      return exitCodeOf(reply.failure->kind);
    }
  }
  if (loaded.problem) return fail(context, *loaded.problem);
  auto function = loaded.module->function(arguments.kernel);
  if (!function) return fail(context, function.error());
  auto called = callKernel(*function, arguments.arguments);
  if (!called) {
    return cli::fail(context, ExitCode::notFinished, "kernel_crash",
                     "'" + arguments.kernel + "' did not return: " + called.error());
  }
  print(context, reportOf(**loaded.reply, arguments, *called));
  return ExitCode::done;
}

}  // namespace kiln::cli
