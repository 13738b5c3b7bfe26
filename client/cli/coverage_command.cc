// kiln coverage: which recorded kernels a bundle would not serve.

#include "bundle/lock_file.h"
#include "client/cli/commands.h"
#include "client/cli/coverage.h"
#include "client/cli/reports.h"
#include "client/host_target.h"

namespace kiln::cli {
namespace {

ExitCode fail(const Context& context, const bundle::BundleError& error) {
  return fail(context, ExitCode::refused, "not_read", error.message);
}

}  // namespace

ExitCode run(const Context& context, const CoverageArguments& arguments) {
  auto targets = client::parseOwnTargets(arguments.targets);
  if (!targets) return cli::fail(context, ExitCode::refused, "unsupported_target", targets.error().message);
  const auto lock = bundle::readLock(arguments.lock);
  if (!lock) return fail(context, lock.error());
  const auto file = bundle::BundleFile::open(arguments.bundle);
  if (!file) return fail(context, file.error());
  const auto plan = planBuild(*lock, *targets, {}, {});
  LockContents contents(bundle::BlobFolder::beside(arguments.lock));
  const auto coverage = coverageOf(*plan, *file, contents);
  if (!coverage) return fail(context, coverage.error());
  print(context, reportOf(*coverage, plan->unplanned));
  return coverage->missing.empty() ? ExitCode::done : ExitCode::doesNotCompile;
}

}  // namespace kiln::cli
