// kiln coverage: which recorded kernels a bundle, or kilnd, would not serve.

#include "bundle/lock_file.h"
#include "client/cli/commands.h"
#include "client/cli/coverage.h"
#include "client/cli/daemon_coverage.h"
#include "client/cli/reports.h"
#include "client/host_target.h"

namespace kiln::cli {
namespace {

ExitCode fail(const Context& context, const bundle::BundleError& error) {
  return fail(context, ExitCode::refused, "not_read", error.message);
}

ExitCode tell(const Context& context, const Coverage& coverage, const BuildPlan& plan) {
  print(context, reportOf(coverage, plan.unplanned));
  return coverage.missing.empty() ? ExitCode::done : ExitCode::doesNotCompile;
}

ExitCode ofBundle(const Context& context, const std::string& path, const BuildPlan& plan,
                  LockContents& contents) {
  const auto file = bundle::BundleFile::open(path);
  if (!file) return fail(context, file.error());
  const auto coverage = coverageOf(plan, *file, contents);
  if (!coverage) return fail(context, coverage.error());
  return tell(context, *coverage, plan);
}

ExitCode ofDaemon(const Context& context, const BuildPlan& plan, LockContents& contents) {
  client::Client client(context.client);
  const auto toolchains = client.toolchains();
  if (!toolchains) return cli::fail(context, toolchains.error());
  const auto coverage = coverageOf(plan, client, *toolchains, contents);
  if (!coverage) return fail(context, bundle::BundleError{coverage.error()});
  return tell(context, *coverage, plan);
}

}  // namespace

ExitCode run(const Context& context, const CoverageArguments& arguments) {
  auto targets = client::parseOwnTargets(arguments.targets);
  if (!targets) return cli::fail(context, ExitCode::refused, "unsupported_target", targets.error().message);
  const auto lock = bundle::readLock(arguments.lock);
  if (!lock) return fail(context, lock.error());
  const auto plan = planBuild(*lock, *targets, {}, {});
  LockContents contents(bundle::BlobFolder::beside(arguments.lock));
  return arguments.isOfDaemon ? ofDaemon(context, *plan, contents)
                              : ofBundle(context, arguments.bundle, *plan, contents);
}

}  // namespace kiln::cli
