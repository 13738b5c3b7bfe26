// kiln build: compiles what a lock has, for every target, into a bundle.

#include <algorithm>
#include <atomic>
#include <iostream>
#include <map>
#include <thread>

#include "bundle/bundle_file.h"
#include "bundle/lock_file.h"
#include "client/cli/build_plan.h"
#include "client/cli/commands.h"
#include "client/cli/kernel_builder.h"
#include "client/cli/private_daemon.h"
#include "client/cli/progress.h"
#include "client/cli/reports.h"
#include "client/host_target.h"

namespace kiln::cli {
namespace {

// What came of a task.
using Built = std::expected<std::vector<bundle::BundledEntry>, Failure>;

std::string labelOf(const BuildTask& task) { return task.kernel->name + " for " + shortName(task.target); }

// Why a task failed, unless the recording has that it does.
const Failure* unexpectedFailure(const BuildTask& task, const Built& built) {
  if (!built) return &built.error();
  const auto* failure = std::get_if<Failure>(&built->front().result);
  return failure == nullptr || isExpectedToFail(task) ? nullptr : failure;
}

// Compiles all tasks, several at once: kilnd runs as many as it has been given processors.
std::vector<Built> buildAll(const BuildPlan& plan, KernelBuilder& builder, Progress& progress) {
  std::vector<Built> built(plan.tasks.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (auto i = next++; i < plan.tasks.size(); i = next++) {
      const auto& task = plan.tasks[i];
      built[i] = builder.build(task);
      if (const auto* failure = unexpectedFailure(task, built[i])) {
        progress.say("kiln: " + labelOf(task) + ": " + std::string(name(failure->kind)) +
                     (failure->log.empty() ? "" : "\n" + failure->log));
      }
      progress.advance(task.kernel->name);
    }
  };
  const auto threads =
      std::min<std::size_t>(plan.tasks.size(), 2 * std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::jthread> workers;
  for (std::size_t i = 0; i < threads; ++i) workers.emplace_back(work);
  workers.clear();
  return built;
}

ExitCode fail(const Context& context, const std::string& message) {
  return cli::fail(context, ExitCode::refused, "not_built", message);
}

// The kilnd that runs, or one for this alone, which keeps what it has compiled beside the bundle until that
// is whole.
std::expected<std::unique_ptr<PrivateDaemon>, std::string> daemonFor(Context& context,
                                                                     const BuildArguments& arguments) {
  if (client::Client(context.client).status()) return nullptr;
  if (!context.client.socket.empty())
    return nullptr;  // it was asked for by name: what is wrong with it is said
  auto path = arguments.output;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  auto daemon = PrivateDaemon::start(path + ".partial", arguments.config);
  if (daemon) context.client.socket = (*daemon)->socket();
  return daemon;
}

}  // namespace

ExitCode run(const Context& given, const BuildArguments& arguments) {
  auto context = given;
  const auto targets = client::parseOwnTargets(arguments.targets);
  if (!targets)
    return cli::fail(context, exitCodeOf(targets.error().kind), std::string(name(targets.error().kind)),
                     targets.error().message);
  const auto lock = bundle::readLock(arguments.lock);
  if (!lock) return fail(context, lock.error().message);
  auto daemon = daemonFor(context, arguments);
  if (!daemon) return cli::fail(context, ExitCode::unreachable, "unreachable", daemon.error());
  client::Client client(context.client);
  const auto listed = client.toolchains();
  if (!listed) return cli::fail(context, listed.error());
  std::vector<Toolchain> known;
  for (const auto& one : *listed) {
    if (!one.isFromBundle) known.push_back(one.toolchain);
  }
  ToolchainList toolchains;
  for (const auto& one : known) toolchains.push_back(std::make_shared<const Toolchain>(one));
  const auto plan = planBuild(*lock, *targets, arguments.toolchains, toolchains);
  if (!plan) return cli::fail(context, ExitCode::refused, "toolchain_unavailable", plan.error());

  LockContents contents(bundle::BlobFolder::beside(arguments.lock));
  KernelBuilder builder(client, contents, toolchains);
  std::vector<Built> built;
  {
    const auto style = context.format == Format::json ? Progress::Style::none : Progress::usualStyle();
    Progress progress("kernels", plan->tasks.size(), style);
    built = buildAll(*plan, builder, progress);
  }
  BuildResult result;
  std::map<const bundle::LockedKernel*, std::vector<bundle::BundledEntry>> entries;
  for (std::size_t i = 0; i < built.size(); ++i) {
    const auto& task = plan->tasks[i];
    if (const auto* failure = unexpectedFailure(task, built[i])) {
      result.failures.push_back({task.kernel->name, task.target.name, *failure});
    }
    if (!built[i]) continue;
    auto& ofKernel = entries[task.kernel];
    std::ranges::move(*built[i], std::back_inserter(ofKernel));
  }
  std::vector<bundle::BundledKernel> kernels;
  for (const auto& kernel : lock->kernels) {
    const auto found = entries.find(&kernel);
    if (found == entries.end()) continue;
    kernels.push_back({kernel.name, bundle::identityOf(kernel), std::move(found->second)});
  }
  result.compiled = builder.compiled();
  result.unplanned = plan->unplanned;
  result.path = arguments.output;
  auto digest = bundle::writeBundle(arguments.output, std::move(kernels), known, result.index);
  if (!digest) return fail(context, digest.error().message);
  result.digest = *digest;
  if (*daemon) {
    const auto partial = (*daemon)->folder();
    daemon->reset();
    std::error_code error;
    std::filesystem::remove_all(partial, error);
  }
  print(context, reportOf(result));
  return result.failures.empty() ? ExitCode::done : ExitCode::doesNotCompile;
}

}  // namespace kiln::cli
