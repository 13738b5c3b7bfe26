// kiln build: compiles what a lock has, for every target, into a bundle.

#include <algorithm>
#include <atomic>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "bundle/bundle_file.h"
#include "bundle/lock_file.h"
#include "client/cli/build_plan.h"
#include "client/cli/commands.h"
#include "client/cli/kernel_builder.h"
#include "client/cli/printable_text.h"
#include "client/cli/private_daemon.h"
#include "client/cli/progress.h"
#include "client/cli/reports.h"
#include "client/host_target.h"

namespace kiln::cli {
namespace {

std::string labelOf(const BuildTask& task) {
  return onOneLine(task.kernel->name) + " for " + shortName(task.target);
}

// Why a task failed, unless the recording has that it does.
const Failure* failureOf(const BuildTask& task, const Built& built) {
  return built ? unexpectedFailure(task, *built) : std::get_if<Failure>(&built.error());
}

void say(Progress& progress, const BuildTask& task, const Failure& failure) {
  progress.say("kiln: " + labelOf(task) + ": " + std::string(name(failure.kind)) +
               (failure.log.empty() ? "" : "\n" + onLines(failure.log)));
}

// Compiles all tasks, several at once: kilnd runs as many as it has been given processors. The error is that
// kilnd is gone; the rest is not tried then.
client::Reached<std::vector<Built>> buildAll(const BuildPlan& plan, KernelBuilder& builder,
                                             Progress::Style style) {
  Progress progress("kernels", plan.tasks.size(), style);
  std::vector<Built> built(plan.tasks.size());
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::optional<client::Unreachable> unreachable;
  const auto work = [&] {
    for (auto i = next++; i < plan.tasks.size(); i = next++) {
      const auto& task = plan.tasks[i];
      built[i] = builder.build(task);
      if (!built[i]) {
        if (const auto* gone = std::get_if<client::Unreachable>(&built[i].error())) {
          next = plan.tasks.size();
          const std::lock_guard lock(mutex);
          unreachable = *gone;
          return;
        }
      }
      if (const auto* failure = failureOf(task, built[i])) say(progress, task, *failure);
      progress.advance(task.kernel->name);
    }
  };
  const auto threads =
      std::min<std::size_t>(plan.tasks.size(), 2 * std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::jthread> workers;
  for (std::size_t i = 0; i < threads; ++i) workers.emplace_back(work);
  workers.clear();
  if (unreachable) return std::unexpected(std::move(*unreachable));
  return built;
}

ExitCode fail(const Context& context, const std::string& message) {
  return cli::fail(context, ExitCode::refused, "not_built", message);
}

// kilnd does not answer.
client::Unreachable unreached(const client::Unreachable& unreachable, PrivateDaemon* daemon) {
  auto end = daemon == nullptr ? std::string() : daemon->end();
  if (end.empty()) return unreachable;
  daemon->folder().keep(true);  // its log is there
  return {std::move(end)};
}

// The same while it compiles.
ExitCode failInterrupted(const Context& context, const client::Unreachable& unreachable,
                         PrivateDaemon* daemon) {
  auto [message] = unreached(unreachable, daemon);
  message += "; no bundle is written; what is compiled is kept";
  if (daemon == nullptr) {
    message += " by kilnd";
  } else {
    daemon->folder().keep(true);
    message += " in '" + daemon->folder().path().string() + "'";
  }
  return cli::fail(context, client::Unreachable{message + ", and the same command goes on from there"});
}

// The kilnd that runs (null), or one for this alone, which keeps what it has compiled beside the bundle until
// that is whole; `context` leads to it. The error has been told.
std::expected<std::unique_ptr<PrivateDaemon>, ExitCode> daemonFor(Context& context,
                                                                  const BuildArguments& arguments) {
  client::Client client(context.client);
  // One that was asked for by name is taken in any case: what is wrong with it is said.
  if (client.status() || !context.client.socket.empty()) {
    if (!arguments.config.empty())
      std::cerr << "kiln: --config is not used: the kilnd at '" << client.socket() << "' compiles\n";
    return nullptr;
  }
  auto path = arguments.output;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  auto folder = BuildFolder::take(path + ".partial");
  if (!folder) return std::unexpected(fail(context, folder.error()));
  auto daemon = PrivateDaemon::start(std::move(*folder), arguments.config);
  if (!daemon) return std::unexpected(cli::fail(context, client::Unreachable{std::move(daemon.error())}));
  context.client.socket = (*daemon)->socket();
  return std::move(*daemon);
}

client::Reached<std::vector<Toolchain>> toolchainsOf(client::Client& client) {
  auto listed = client.toolchains();
  if (!listed) return std::unexpected(std::move(listed.error()));
  std::vector<Toolchain> known;
  for (auto& one : *listed) known.push_back(std::move(one.toolchain));
  return known;
}

// The kernels of the bundle, in the lock's order; what failed goes to `result`.
std::vector<bundle::BundledKernel> kernelsOf(const bundle::Lock& lock, const BuildPlan& plan,
                                             std::vector<Built> built, BuildResult& result) {
  std::map<const bundle::LockedKernel*, std::vector<bundle::BundledEntry>> entries;
  for (std::size_t i = 0; i < built.size(); ++i) {
    const auto& task = plan.tasks[i];
    if (const auto* failure = failureOf(task, built[i]))
      result.failures.push_back({task.kernel->name, task.target.name, *failure});
    if (built[i]) std::ranges::move(*built[i], std::back_inserter(entries[task.kernel]));
  }
  std::vector<bundle::BundledKernel> kernels;
  for (const auto& kernel : lock.kernels) {
    const auto found = entries.find(&kernel);
    if (found == entries.end()) continue;
    kernels.push_back({kernel.name, bundle::identityOf(kernel), std::move(found->second)});
  }
  return kernels;
}

// Whether what failed may succeed when it is tried again.
bool mayBeMended(const std::vector<BuildResult::Failed>& failures) {
  return std::ranges::any_of(
      failures, [](const auto& one) { return exitCodeOf(one.failure.kind) == ExitCode::notFinished; });
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
  if (const auto writable = bundle::checkBundleWritable(arguments.output); !writable)
    return fail(context, writable.error().message);
  const auto daemon = daemonFor(context, arguments);
  if (!daemon) return daemon.error();
  client::Client client(context.client);
  auto known = toolchainsOf(client);
  if (!known) return cli::fail(context, unreached(known.error(), daemon->get()));
  ToolchainList toolchains;
  for (const auto& one : *known) {
    if (isOnNode(one)) toolchains.push_back(std::make_shared<const Toolchain>(one));
  }
  const auto plan = planBuild(*lock, *targets, arguments.toolchains, toolchains);
  if (!plan) return cli::fail(context, ExitCode::refused, "toolchain_unavailable", plan.error());
  if (const auto why = whyEmpty(*plan, *lock); !why.empty())
    return fail(context, "there is nothing to build of '" + arguments.lock + "': " + why);

  LockContents contents(bundle::BlobFolder::beside(arguments.lock));
  KernelBuilder builder(client, contents, toolchains);
  auto built = buildAll(*plan, builder,
                        context.format == Format::json ? Progress::Style::none : Progress::usualStyle());
  if (*daemon && builder.compiled() > 0) (*daemon)->folder().keep(true);
  if (!built) return failInterrupted(context, built.error(), daemon->get());
  // Once more: a toolchain that was replaced meanwhile has another identity.
  const auto knownNow = toolchainsOf(client);
  if (!knownNow) return failInterrupted(context, knownNow.error(), daemon->get());
  known->insert(known->end(), knownNow->begin(), knownNow->end());

  BuildResult result;
  auto kernels = kernelsOf(*lock, *plan, std::move(*built), result);
  result.compiled = builder.compiled();
  result.unplanned = plan->unplanned;
  result.uncaptured = lock->uncaptured;
  // Where all has failed, what is at the output stays.
  if (!kernels.empty()) {
    result.path = arguments.output;
    auto digest = bundle::writeBundle(arguments.output, std::move(kernels), *known, result.index);
    if (!digest) return fail(context, digest.error().message);
    result.digest = *digest;
  }
  if (*daemon) {
    auto& folder = (*daemon)->folder();
    folder.keep(mayBeMended(result.failures));
    if (mayBeMended(result.failures)) result.kept = folder.path();
  }
  print(context, reportOf(result));
  return result.failures.empty() ? ExitCode::done : ExitCode::doesNotCompile;
}

}  // namespace kiln::cli
