#include "rpc/daemon.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "frontends/frontend.h"
#include "frontends/pool/pool.h"
#include "frontends/request_options.h"
#include "jit/service/executor.h"
#include "jit/service/service.h"
#include "jit/service/toolchains.h"
#include "rpc/server.h"
#include "rpc/systemd.h"
#include "rpc/toolchain_log.h"

namespace kiln {
namespace {

// Threads that wait for the disk: synced writes and reads of large entries.
constexpr unsigned kExecutorThreads = 4;

std::expected<void, Failure> checkOptions(const Request& request) {
  const auto* frontend = frontendFor(request.language);
  if (frontend != nullptr) return frontend->checkOptions(request);
  return std::unexpected(Failure{FailureKind::invalidRequest, "this kilnd has no frontend for the language " +
                                                                  std::string(name(request.language))});
}

kj::Promise<void> stopSignal(kj::UnixEventPort& port) {
  return port.onSignal(SIGTERM).ignoreResult().exclusiveJoin(port.onSignal(SIGINT).ignoreResult());
}

kj::Duration toKj(std::chrono::seconds seconds) { return seconds.count() * kj::SECONDS; }

// Zygotes of what is gone end; what a frontend compiles by default starts warm.
void adopt(const ToolchainList& toolchains, CompilerPool& pool) {
  pool.keepOnly(toolchains);
  for (const auto& frontend : frontends()) {
    if (auto toolchain = chooseToolchain(toolchains, frontend.language, "")) pool.prepare(*toolchain);
  }
}

}  // namespace

void captureStopSignals() {
  kj::UnixEventPort::captureSignal(SIGTERM);
  kj::UnixEventPort::captureSignal(SIGINT);
}

void runDaemon(kj::AsyncIoContext& io, const Config& config, ToolchainSurvey& survey,
               std::vector<Toolchain> found, Store& store, const std::vector<BundleRecord>& bundles,
               std::vector<Listener> listeners, Log& log) {
  auto& timer = io.provider->getTimer();
  Executor executor(io.unixEventPort, kExecutorThreads);
  CompilerPool pool(io.unixEventPort, *io.lowLevelProvider,
                    {.compilerProgram = config.compiler,
                     .memoryLimit = config.memoryLimitMegabytes << 20,
                     .onPrinted = [&log](const std::string& toolchain, std::string_view line) {
                       log.warning("the compiler of " + toolchain + " printed " + quotedForLog(line));
                     }});
  Toolchains toolchains(
      executor, std::move(found), [&survey] { return survey.run(); },
      [&pool, &log](const ToolchainList& before, const ToolchainList& after) {
        logToolchains(before, after, log);
        adopt(after, pool);
      });
  logToolchains({}, toolchains.list(), log);
  adopt(toolchains.list(), pool);
  CompileService service(
      store, pool, executor, toolchains, timer, {config.jobs, config.queue, config.compileTimeout},
      {checkOptions, stagesOf,
       [&log](const StoreError& error) { log.error("the store failed: " + error.message); }});
  service.begin(bundles);

  auto asked = kj::newPromiseAndFulfiller<void>();
  SessionContext context{.service = service,
                         .toolchains = toolchains,
                         .store = store,
                         .executor = executor,
                         .log = log,
                         .processes = [&pool] { return pool.processes(); },
                         .stop = [&asked] { asked.fulfiller->fulfill(); },
                         .storePath = config.store.string(),
                         .jobs = config.jobs,
                         .maxSourceMegabytes = config.maxSourceMegabytes,
                         .timer = timer,
                         .fileTimeout = toKj(config.fileTimeout)};
  Server server(*io.lowLevelProvider, timer, context);
  for (auto& listener : listeners) server.listen(kj::mv(listener));
  notifyServiceManager("READY=1");
  log.info("ready");

  asked.promise.exclusiveJoin(stopSignal(io.unixEventPort)).wait(io.waitScope);
  context.stopping = true;
  notifyServiceManager("STOPPING=1");
  log.info("stopping: " + std::to_string(service.running()) + " compiles run, " +
           std::to_string(service.queued()) + " wait; they have " +
           std::to_string(config.shutdownTimeout.count()) + " s");
  server.stopListening();
  bool finished = false;
  service.drain()
      .then([&server] { return server.flushed(); })
      .then([&finished] { finished = true; })
      .exclusiveJoin(timer.afterDelay(toKj(config.shutdownTimeout)))
      .exclusiveJoin(stopSignal(io.unixEventPort))
      .wait(io.waitScope);
  context.afterReplies.run();
  const bool isIdle = service.running() == 0 && service.queued() == 0;
  log.info(finished || isIdle ? "stopped" : "stopped with compiles still running: they are killed");
}

}  // namespace kiln
