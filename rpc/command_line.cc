#include "rpc/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "rpc/defaults.h"
#include "rpc/version.h"

namespace kiln {

std::expected<CommandLine, int> parseCommandLine(int argc, char** argv) {
  CommandLine result;
  CLI::App app(
      "kilnd compiles kernels once per node and keeps the binaries. It stays in the foreground, logs to\n"
      "standard error, and ends on SIGTERM once running compiles are done.");
  app.set_version_flag("--version", std::string("kilnd ") + kVersion);
  app.add_option("--config", result.config,
                 "TOML file; kilnd.toml (deploy/, share/kiln/) shows all that it may say")
      ->type_name("FILE");
  app.add_option("--socket", result.socket,
                 "Listen here alone, with the domain 'default' (" + defaultSocket().string() +
                     " where nothing is configured)")
      ->type_name("PATH");
  app.add_option("--store", result.store, "Keep what is compiled in this directory")->type_name("DIR");
  app.add_flag(
      "--check-config", result.checkConfig,
      "Print the configuration with its defaults filled in, or what is wrong with it (exit status 1)");
  app.failure_message([](const CLI::App* failed, const CLI::Error& error) {
    const auto leftOver = failed->remaining();
    const auto problem = leftOver.empty() ? error.what() : "there is no option '" + leftOver.front() + "'";
    return "kilnd: " + problem + "\nSee kilnd --help.\n";
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return std::unexpected(app.exit(error) == 0 ? 0 : 1);
  }
  if (!result.socket.empty()) result.socket = std::filesystem::absolute(result.socket);
  if (!result.store.empty()) result.store = std::filesystem::absolute(result.store);
  return result;
}

}  // namespace kiln
