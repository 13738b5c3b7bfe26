// kilnd's command line.
#pragma once

#include <expected>
#include <filesystem>

namespace kiln {

struct CommandLine {
  std::filesystem::path config;  // empty: none
  std::filesystem::path socket;  // absolute; empty: as configured
  std::filesystem::path store;   // absolute; empty: as configured
  bool checkConfig = false;
};

// Unexpected: the exit status, all having been said (--help, --version, a mistake).
std::expected<CommandLine, int> parseCommandLine(int argc, char** argv);

}  // namespace kiln
