// kiln: the command line. Reads the arguments, runs the command, tells the exit status.

#include <exception>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/commands.h"

namespace kiln::cli {
namespace {

ExitCode runCommand(std::vector<std::string> arguments) {
  auto parsed = parseArguments(std::move(arguments));
  if (const auto* farewell = std::get_if<Farewell>(&parsed)) {
    (farewell->code == ExitCode::done ? std::cout : std::cerr) << farewell->text;
    return farewell->code;
  }
  const auto& line = std::get<CommandLine>(parsed);
  Context context;
  context.format = line.format;
  context.client.socket = line.socket;
  context.client.name = "kiln " KILN_VERSION;
  return std::visit([&](const auto& command) { return run(context, command); }, line.command);
}

}  // namespace
}  // namespace kiln::cli

int main(int argc, char** argv) {
  try {
    return static_cast<int>(kiln::cli::runCommand({argv + 1, argv + argc}));
  } catch (const std::exception& error) {
    std::cerr << "kiln: internal: " << error.what() << '\n';
    return static_cast<int>(kiln::cli::ExitCode::notFinished);
  }
}
