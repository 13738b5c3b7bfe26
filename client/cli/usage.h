// What kiln says of its own command line: its help, and what is wrong with a line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace kiln::cli {

// CLI11's help. A command's also has the options of every command, compile's usage what may stand behind --.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override;
};

// What is wrong, and the --help to turn to: two lines for standard error. `app` is the program, not the
// command.
std::string usageError(const CLI::App& app, const CLI::ParseError& error);

}  // namespace kiln::cli
