#include <algorithm>

#include "client/cli/commands.h"
#include "client/cli/compile_failure.h"
#include "client/cli/compile_request.h"
#include "client/cli/files.h"
#include "client/cli/reports.h"

namespace kiln::cli {
namespace {

// The outputs that have a place, each to its place. One that kilnd did not send is a defect of it, said as
// such.
std::expected<void, FileProblem> writeOutputs(const client::Reply& reply,
                                              const std::vector<WrittenOutput>& places) {
  std::vector<FileToWrite> files;
  for (const auto& place : places) {
    auto output =
        std::find_if(reply.outputs.begin(), reply.outputs.end(),
                     [&](const client::OutputReply& candidate) { return candidate.kind == place.kind; });
    if (output == reply.outputs.end()) {
      return std::unexpected(
          FileProblem{"cannot write " + place.path + ": kilnd sent no " + std::string(name(place.kind))});
    }
    files.push_back(
        {place.path, {reinterpret_cast<const char*>(output->bytes.data()), output->bytes.size()}});
  }
  return writeFiles(files);
}

}  // namespace

ExitCode run(const Context& context, const CompileArguments& arguments) {
  auto prepared = prepareRequest(arguments);
  if (!prepared) return fail(context, prepared.error());

  auto clientOptions = context.client;
  clientOptions.allowedDirectories = arguments.allowedDirectories;
  client::Client client(std::move(clientOptions));
  auto reply = client.compile(std::move(prepared->request),
                              {arguments.toolchain, arguments.priority, arguments.timeout});
  if (!reply) return cli::fail(context, reply.error());

  if (context.format == Format::text) printDiagnostics(*reply);
  if (reply->failure) {
    if (context.format == Format::json) print(context, reportOf(*reply, {}));
    return exitCodeOf(reply->failure->kind);
  }
  if (auto written = writeOutputs(*reply, prepared->outputs); !written) return fail(context, written.error());
  print(context, reportOf(*reply, prepared->outputs));
  return ExitCode::done;
}

}  // namespace kiln::cli
