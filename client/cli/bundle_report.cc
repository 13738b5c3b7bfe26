#include <set>

#include "client/cli/report_parts.h"
#include "client/cli/reports.h"

namespace kiln::cli {
namespace {

struct Totals {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  List targets;
};

Totals totalsOf(const bundle::BundleIndex& index) {
  Totals totals;
  std::set<std::string> targets;
  for (const auto& kernel : index.kernels) {
    for (const auto& entry : kernel.entries) {
      ++totals.entries;
      totals.bytes += entry.bytes;
      targets.insert(entry.target);
    }
  }
  totals.targets = shortNames(targets);
  return totals;
}

Report::Table failureTable(const std::vector<BuildResult::Failed>& failures) {
  Report::Table table{{"kernel", "target", "failure", "message", {"log", Shown::inJsonOnly}}, {}};
  for (const auto& one : failures) {
    table.rows.push_back(
        {one.kernel, one.target, std::string(name(one.failure.kind)), one.failure.message, one.failure.log});
  }
  return table;
}

Report::Table unplannedTable(const std::vector<Unplanned>& unplanned) {
  Report::Table table{{"kernel", "reason"}, {}};
  for (const auto& one : unplanned) table.rows.push_back({one.kernel, one.reason});
  return table;
}

}  // namespace

Report reportOfKernels(const bundle::BundleIndex& index) {
  Report::Table table{{"kernel", "language", "entries", "size", "targets", {"layer", Shown::inJsonOnly}}, {}};
  for (const auto& kernel : index.kernels) {
    const auto totals = totalsOf({{kernel}, {}});
    table.rows.push_back({kernel.name, std::string(name(kernel.language)), totals.entries,
                          ByteCount{totals.bytes}, totals.targets, "sha256:" + kernel.layer.hex()});
  }
  Report report;
  report.add("kernels", std::move(table));
  return report;
}

Report reportOfBundle(const std::string& path, const Sha256& digest, const bundle::BundleIndex& index) {
  const auto totals = totalsOf(index);
  Report report;
  report.add("bundle", path);
  report.add("digest", "sha256:" + digest.hex());
  report.add("kernels", std::uint64_t{index.kernels.size()});
  report.add("entries", totals.entries);
  report.add("size", ByteCount{totals.bytes});
  report.add("targets", totals.targets);
  Report::Table toolchains{{"name", "language", "identity"}, {}};
  for (const auto& one : index.toolchains) {
    toolchains.rows.push_back({one.name, std::string(name(one.language)), one.identity.hex()});
  }
  report.add("toolchains", std::move(toolchains));
  return report;
}

Report reportOf(const std::vector<BundleDifference>& differences) {
  Report::Table table{{"kernel", "target", "toolchain", "difference"}, {}};
  for (const auto& one : differences) table.rows.push_back({one.kernel, one.target, one.toolchain, one.what});
  Report report;
  report.add("differences", std::move(table));
  return report;
}

Report reportOf(const Coverage& coverage, const std::vector<Unplanned>& unplanned,
                const std::vector<bundle::Uncaptured>& uncaptured) {
  Report report;
  report.add("covered", std::uint64_t{coverage.covered});
  report.add("missing", std::uint64_t{coverage.missing.size()});
  Report::Table table{{"kernel", "target", "reason"}, {}};
  for (const auto& one : coverage.missing) table.rows.push_back({one.kernel, one.target, one.reason});
  report.add("misses", std::move(table));
  if (!unplanned.empty()) report.add("left_out", unplannedTable(unplanned));
  if (!uncaptured.empty()) report.add("uncaptured", uncapturedTable(uncaptured));
  return report;
}

Report reportOf(const BuildResult& result) {
  const auto totals = totalsOf(result.index);
  List toolchains;
  for (const auto& toolchain : result.index.toolchains) toolchains.push_back(toolchain.name);
  Report report;
  report.add("bundle", optionalCell(result.path));
  report.add("digest", result.path.empty() ? Cell{Absent{}} : Cell{"sha256:" + result.digest.hex()});
  report.add("kernels", std::uint64_t{result.index.kernels.size()});
  report.add("entries", totals.entries);
  report.add("size", ByteCount{totals.bytes});
  report.add("targets", totals.targets);
  report.add("toolchains", std::move(toolchains));
  report.add("compiled", std::uint64_t{result.compiled});
  report.add("failed", std::uint64_t{result.failures.size()});
  report.addIfAny("kept", result.kept);
  if (!result.unplanned.empty()) report.add("left_out", unplannedTable(result.unplanned));
  if (!result.uncaptured.empty()) report.add("uncaptured", uncapturedTable(result.uncaptured));
  if (!result.failures.empty()) report.add("failures", failureTable(result.failures));
  return report;
}

}  // namespace kiln::cli
