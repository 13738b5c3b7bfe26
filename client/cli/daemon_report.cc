#include "client/cli/reports.h"

namespace kiln::cli {

Report reportOf(const client::StatsReply& stats) {
  Report::Table failures{{"kind", "count"}, {}};
  for (const auto& [kind, count] : stats.failures) failures.rows.push_back({std::string(name(kind)), count});

  Report report;
  report.add("hits", stats.hits);
  report.add("misses", stats.misses);
  report.add("joined", stats.joined);
  report.add("compiles", stats.compiles);
  report.add("compile_ms", Milliseconds{stats.compileMilliseconds});
  report.add("saved_ms", Milliseconds{stats.savedMilliseconds});
  report.add("entries", stats.entries);
  report.add("bytes", ByteCount{stats.bytes});
  report.add("corrupt_entries", stats.corruptEntries);
  report.add("failures", std::move(failures));
  return report;
}

Report reportOf(const std::vector<client::ToolchainReply>& toolchains) {
  Report::Table table{{"name",
                       "default",
                       "library",
                       {"version", Shown::inJsonOnly},
                       {"identity", Shown::inJsonOnly},
                       "from_bundle",
                       "problem",
                       "targets"},
                      {}};
  for (const auto& [toolchain, isDefault, isFromBundle] : toolchains) {
    table.rows.push_back({toolchain.name, isDefault, optionalCell(toolchain.library), toolchain.version,
                          toolchain.identity.hex(), isFromBundle, optionalCell(toolchain.problem),
                          toolchain.targets});
  }
  Report report;
  report.add("toolchains", std::move(table));
  return report;
}

Report reportOf(const client::StatusReply& status) {
  Report::Table compilers{{"process", "toolchain", "role"}, {}};
  for (const auto& compiler : status.compilers) {
    compilers.rows.push_back({std::uint64_t{compiler.processId}, compiler.toolchain, compiler.role});
  }
  Report report;
  report.add("version", status.version);
  report.add("process", std::uint64_t{status.processId});
  report.add("uptime_ms", Milliseconds{status.uptimeMilliseconds});
  report.add("socket", status.socket);
  report.add("domain", status.domain);
  report.add("lane", status.lane);
  report.add("store", status.store);
  report.add("clients", std::uint64_t{status.clients});
  report.add("running", std::uint64_t{status.running});
  report.add("queued", std::uint64_t{status.queued});
  report.add("jobs", std::uint64_t{status.jobs});
  report.add("stopping", status.stopping);
  report.add("compilers", std::move(compilers));
  return report;
}

}  // namespace kiln::cli
