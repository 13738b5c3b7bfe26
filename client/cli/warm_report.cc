#include <set>

#include "client/cli/report_parts.h"
#include "client/cli/reports.h"

namespace kiln::cli {
namespace {

List namesOf(const std::vector<BundledToolchain>& toolchains) {
  List names;
  for (const auto& toolchain : toolchains) names.push_back(toolchain.name);
  return names;
}

}  // namespace

Report reportOfWarmed(const std::string& path, const client::WarmReply& reply, const BundleFit& fit) {
  const auto& bundle = reply.bundle;
  Report report;
  report.add("bundle", path);
  report.add("digest", "sha256:" + bundle.digest.hex());
  report.add("entries", bundle.entries);
  report.add("size", ByteCount{bundle.bytes});
  report.add("was_there", reply.wasThere);
  report.add("fits", fit.targets ? Cell(List(*fit.targets)) : Cell(Absent{}));
  report.add("notes", List(fit.notes), Shown::inJsonOnly);
  return report;
}

Report reportOf(const std::vector<BundleRecord>& bundles) {
  Report::Table table{{"name", "digest", "entries", "size", "warmed_at", "toolchains"}, {}};
  for (const auto& bundle : bundles) {
    table.rows.push_back({bundle.name, "sha256:" + bundle.digest.hex(), bundle.entries,
                          ByteCount{bundle.bytes}, Moment{bundle.warmedAt}, namesOf(bundle.toolchains)});
  }
  Report report;
  report.add("bundles", std::move(table));
  return report;
}

Report reportOfRemoved(const BundleRecord& bundle) {
  Report report;
  report.add("removed", bundle.name);
  report.add("digest", "sha256:" + bundle.digest.hex());
  return report;
}

Report reportOf(const std::vector<client::LaneReply>& lanes) {
  Report::Table table{{"socket", "domain", "lane"}, {}};
  for (const auto& one : lanes) table.rows.push_back({one.socket, one.domain, one.lane});
  Report report;
  report.add("lanes", std::move(table));
  return report;
}

}  // namespace kiln::cli
