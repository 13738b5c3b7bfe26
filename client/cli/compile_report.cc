#include <algorithm>
#include <string_view>

#include "client/cli/report_parts.h"
#include "client/cli/reports.h"

namespace kiln::cli {
namespace {

std::string_view name(client::Reply::How how) {
  switch (how) {
    case client::Reply::How::hit:
      return "hit";
    case client::Reply::How::miss:
      return "miss";
    case client::Reply::How::joined:
      return "joined";
  }
  return "unknown";
}

Report::Table outputTable(const client::Reply& reply, const std::vector<WrittenOutput>& written) {
  Report::Table table{{"kind", "bytes", "sha256", "path"}, {}};
  for (const auto& output : reply.outputs) {
    auto path = std::find_if(written.begin(), written.end(),
                             [&](const WrittenOutput& candidate) { return candidate.kind == output.kind; });
    table.rows.push_back({std::string(kiln::name(output.kind)), std::uint64_t{output.bytes.size()},
                          output.sha256.hex(), path == written.end() ? Cell{Absent{}} : Cell{path->path}});
  }
  return table;
}

}  // namespace

Report reportOf(const client::Reply& reply, const std::vector<WrittenOutput>& written) {
  Report report;
  report.add("outcome", std::string(name(reply.how)));
  report.add("key", optionalCell(reply.key));
  report.add("toolchain", optionalCell(reply.toolchain));
  report.add("compile_ms", Milliseconds{reply.compileMilliseconds});
  report.add("total_ms", Milliseconds{reply.totalMilliseconds});
  report.addIfAny("reason", reply.missReason);
  report.addIfAny("not_remembered", reply.notRemembered);
  if (reply.failure) report.add("failure", failureRecord(*reply.failure), Shown::inJsonOnly);
  report.add("outputs", outputTable(reply, written));
  report.add("lowered_names", loweredNameTable(reply.loweredNames));
  report.add("resources", resourceTable(reply.resources), Shown::inJsonOnly);
  report.addIfAny("resources_problem", reply.resources.problem, Shown::inJsonOnly);
  report.add("log", reply.log, Shown::inJsonOnly);
  report.add("dependencies", dependencyTable(*reply.dependencies), Shown::inJsonOnly);
  return report;
}

Report reportOfFailure(const std::string& kind, const std::string& message) {
  Report report;
  report.add("failure", Report::Record{{"kind", kind}, {"message", message}});
  return report;
}

}  // namespace kiln::cli
