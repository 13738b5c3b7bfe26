// What kilnd answered, as reports. Pure functions: what golden tests hold on to.
#pragma once

#include <string>
#include <vector>

#include "bundle/lock.h"
#include "client/cli/arguments.h"
#include "client/cli/build_result.h"
#include "client/cli/bundle_difference.h"
#include "client/cli/bundle_fit.h"
#include "client/cli/coverage.h"
#include "client/cli/kernel_call.h"
#include "client/cli/report.h"
#include "client/client.h"

namespace kiln::cli {

struct WrittenOutput {
  OutputKind kind;
  std::string path;
};

// `kiln compile`: `written` tells where outputs went. In text the log is left out, since it has been printed
// as the compiler wrote it.
Report reportOf(const client::Reply& reply, const std::vector<WrittenOutput>& written);
// `kiln run`: what was compiled, and what its call did to the arguments.
Report reportOf(const client::Reply& reply, const RunArguments& arguments, const CallResult& called);
// A failure that no reply stands behind: the JSON of a request that never left, or of a kilnd out of reach.
Report reportOfFailure(const std::string& kind, const std::string& message);

// `kiln record`: what is in the lock that was written to `path`.
Report reportOf(const bundle::Lock& lock, const std::string& path);
Report reportOf(const BuildResult& result);
// `kiln bundle`: its kernels, what it is as a whole, what two differ in, what was written.
Report reportOfKernels(const bundle::BundleIndex& index);
Report reportOfBundle(const std::string& path, const Sha256& digest, const bundle::BundleIndex& index);
Report reportOf(const std::vector<BundleDifference>& differences);
// `kiln coverage`: what would miss, what no target was given for, and of what nothing is known.
Report reportOf(const Coverage& coverage, const std::vector<Unplanned>& unplanned,
                const std::vector<bundle::Uncaptured>& uncaptured);
// `kiln warm`: what was brought, what is there, what was taken away.
Report reportOfWarmed(const std::string& path, const client::WarmReply& reply, const BundleFit& fit);
Report reportOf(const std::vector<BundleRecord>& bundles);
Report reportOfRemoved(const BundleRecord& bundle);
Report reportOf(const std::vector<client::LaneReply>& lanes);
Report reportOf(const client::ShowReply& reply);
Report reportOf(const std::vector<EntrySummary>& entries);
Report reportOf(const client::StatsReply& stats);
Report reportOf(const std::vector<client::ToolchainReply>& toolchains);
Report reportOf(const client::StatusReply& status);

}  // namespace kiln::cli
