#include <set>

#include "client/cli/report_parts.h"
#include "client/cli/reports.h"

namespace kiln::cli {
Report reportOf(const bundle::Lock& lock, const std::string& path) {
  std::set<std::string> targets;
  for (const auto& kernel : lock.kernels) targets.insert(kernel.targets.begin(), kernel.targets.end());
  Report report;
  report.add("lock", path);
  report.add("kernels", std::uint64_t{lock.kernels.size()});
  report.add("targets", shortNames(targets));
  report.add("not_captured", std::uint64_t{lock.uncaptured.size()});
  if (!lock.uncaptured.empty()) report.add("uncaptured", uncapturedTable(lock.uncaptured));
  return report;
}

}  // namespace kiln::cli
