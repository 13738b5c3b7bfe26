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

using cli::fail;

// What is asked about.
struct Question {
  const bundle::Lock& lock;
  const BuildPlan& plan;
};

// Of what could not be captured nothing tells whether it is there: it counts as missing.
ExitCode tell(const Context& context, const Coverage& coverage, const Question& question) {
  const auto& uncaptured = question.lock.uncaptured;
  print(context, reportOf(coverage, question.plan.unplanned, uncaptured));
  return coverage.missing.empty() && uncaptured.empty() ? ExitCode::done : ExitCode::doesNotCompile;
}

ExitCode ofBundle(const Context& context, const std::string& path, const Question& question,
                  LockContents& contents) {
  const auto file = bundle::BundleFile::open(path);
  if (!file) return fail(context, file.error());
  const auto coverage = coverageOf(question.plan, *file, contents);
  if (!coverage) return fail(context, coverage.error());
  return tell(context, *coverage, question);
}

ExitCode ofDaemon(const Context& context, const Question& question, LockContents& contents) {
  client::Client client(context.client);
  const auto coverage = coverageOf(question.plan, client, contents);
  if (!coverage) {
    return std::visit([&](const auto& error) { return fail(context, error); }, coverage.error());
  }
  return tell(context, *coverage, question);
}

}  // namespace

ExitCode run(const Context& context, const CoverageArguments& arguments) {
  auto targets = client::parseOwnTargets(arguments.targets);
  if (!targets) return cli::fail(context, ExitCode::refused, "unsupported_target", targets.error().message);
  const auto lock = bundle::readLock(arguments.lock);
  if (!lock) return fail(context, lock.error());
  const auto plan = planBuild(*lock, *targets, {}, {});
  if (const auto why = whyEmpty(*plan, *lock); !why.empty())
    return fail(context,
                bundle::BundleError{"there is nothing to look for of '" + arguments.lock + "': " + why});
  LockContents contents(bundle::BlobFolder::beside(arguments.lock));
  const Question question{*lock, *plan};
  return arguments.isOfDaemon ? ofDaemon(context, question, contents)
                              : ofBundle(context, arguments.bundle, question, contents);
}

}  // namespace kiln::cli
