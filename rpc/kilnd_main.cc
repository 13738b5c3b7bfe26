// kilnd: reads the configuration, opens what the daemon stands on, and runs it.
#include <kj/async-io.h>

#include <cstdio>
#include <exception>
#include <utility>

#include "cache/rocksdb_store.h"
#include "frontends/frontend.h"
#include "rpc/command_line.h"
#include "rpc/config.h"
#include "rpc/daemon.h"
#include "rpc/defaults.h"
#include "rpc/listener.h"
#include "rpc/log.h"
#include "rpc/systemd.h"
#include "rpc/toolchain_survey.h"
#include "rpc/version.h"

namespace kiln {
namespace {

int fail(const std::string& message) {
  std::fprintf(stderr, "kilnd: %s\n", message.c_str());
  return 1;
}

std::expected<Config, ConfigErrors> effectiveConfig(const CommandLine& commandLine) {
  auto config = commandLine.config.empty() ? Config() : readConfig(commandLine.config);
  if (!config) return config;
  if (!commandLine.store.empty()) config->store = commandLine.store;
  if (!commandLine.socket.empty()) config->listen = {{.path = commandLine.socket}};
  if (auto filled = fillDefaults(*config); !filled) return std::unexpected(ConfigErrors{filled.error()});
  return config;
}

// What is odd about a configuration that holds: a line each.
std::vector<std::string> warnings(const Config& config) { return emptyPlaces(config.toolchains); }

int showConfig(Config config) {
  for (const auto& line : warnings(config)) std::fprintf(stderr, "kilnd: warning: %s\n", line.c_str());
  if (config.listen.empty()) config.listen = {{.path = defaultSocket()}};
  std::printf("%s", describe(config).c_str());
  return 0;
}

int run(const CommandLine& commandLine, Config config) {
  if (commandLine.checkConfig) return showConfig(std::move(config));
  Log log(config.logLevel);
  log.info(std::string("kilnd ") + kVersion + ", store " + config.store.string());
  for (const auto& line : warnings(config)) log.warning(line);
  auto activated = takeActivatedSockets();
  if (!activated) return fail(activated.error());
  // Until here a signal simply ends the process, its compilers with it.
  ToolchainSurvey survey(config.toolchains, config.compiler);
  auto toolchains = survey.run();
  captureStopSignals();
  auto store = openRocksDbStore(config.store);
  if (!store) return fail(store.error().message);
  auto bundles = (*store)->allBundles();
  if (!bundles) return fail(bundles.error().message);
  auto listeners = openListeners(config, std::move(*activated), {.path = defaultSocket()});
  if (!listeners) return fail(listeners.error());
  auto io = kj::setupAsyncIo();
  runDaemon(io, config, survey, std::move(toolchains), **store, *bundles, std::move(*listeners), log);
  return 0;
}

}  // namespace
}  // namespace kiln

int main(int argc, char** argv) {
  try {
    auto commandLine = kiln::parseCommandLine(argc, argv);
    if (!commandLine) return commandLine.error();
    auto config = kiln::effectiveConfig(*commandLine);
    if (config) return kiln::run(*commandLine, std::move(*config));
    for (const auto& error : config.error()) std::fprintf(stderr, "kilnd: %s\n", error.c_str());
  } catch (const kj::Exception& exception) {
    std::fprintf(stderr, "kilnd: %s\n", kj::str(exception).cStr());
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "kilnd: %s\n", exception.what());
  }
  return 1;
}
