#include "client/cli/report_parts.h"
#include "client/cli/reports.h"

namespace kiln::cli {
namespace {

Cell resultCell(const std::optional<FailureKind>& failure) {
  return std::string(failure ? name(*failure) : "artifact");
}

Report::Table outputTable(const client::ShowReply& reply) {
  Report::Table table{{"kind", "bytes", "sha256"}, {}};
  for (std::size_t i = 0; i < reply.outputSizes.size() && i < reply.reply.outputs.size(); ++i) {
    auto [kind, size] = reply.outputSizes[i];
    table.rows.push_back({std::string(name(kind)), size, reply.reply.outputs[i].sha256.hex()});
  }
  return table;
}

void addRequest(Report& report, const Request& request) {
  List headers;
  for (const auto& header : request.headers) headers.push_back(header.name);
  report.add("working_directory", request.names.workingDirectory);
  report.add("include_directories", request.names.includeDirectories);
  report.add("options", request.options);
  report.add("headers", headers);
  report.add("name_expressions", request.nameExpressions);
}

}  // namespace

Report reportOf(const client::ShowReply& reply) {
  Report report;
  const auto& summary = reply.summary;
  report.add("key", summary.key.hex());
  report.add("result", resultCell(summary.failure));
  report.add("source", summary.sourceName);
  report.add("language", std::string(name(reply.request.language)));
  report.add("target", summary.target.name);
  report.add("toolchain", summary.toolchainName);
  report.add("compile_ms", Milliseconds{summary.compileMilliseconds});
  report.add("created_at", Moment{summary.createdAt});
  report.add("names_bind", reply.namesBind);
  report.add("source_sha256", reply.sourceSha256.hex());
  report.add("request_hash", reply.requestHash.hex());
  report.add("request_sha256", reply.requestSha256.hex());
  report.add("toolchain_identity", reply.toolchainIdentity.hex());
  addRequest(report, reply.request);
  List inputs;
  for (const auto& digest : reply.inputSha256) inputs.push_back(digest.hex());
  report.add("input_sha256", inputs);
  if (reply.reply.failure) report.add("failure", failureRecord(*reply.reply.failure));
  report.add("outputs", outputTable(reply));
  report.add("lowered_names", loweredNameTable(reply.reply.loweredNames));
  report.add("resources", resourceTable(reply.reply.resources));
  report.addIfAny("resources_problem", reply.reply.resources.problem);
  report.add("log", reply.reply.log.empty() ? Cell{Absent{}} : Cell{Lines{reply.reply.log}});
  report.add("dependencies", dependencyTable(*reply.reply.dependencies));
  return report;
}

Report reportOf(const std::vector<EntrySummary>& entries) {
  Report::Table table{{"key", "result", "bytes", "compile_ms", "target", "toolchain", "created_at", "source"},
                      {}};
  for (const auto& entry : entries) {
    table.rows.push_back({entry.key.hex(), resultCell(entry.failure), entry.bytes,
                          Milliseconds{entry.compileMilliseconds}, entry.target.name, entry.toolchainName,
                          Moment{entry.createdAt}, entry.sourceName});
  }
  Report report;
  report.add("count", std::uint64_t{entries.size()});
  report.add("entries", std::move(table));
  return report;
}

}  // namespace kiln::cli
