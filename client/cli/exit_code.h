// What kiln's exit status tells, in one table: the program, its --help and its manual page agree with it.
#pragma once

#include <string>

#include "jit/failure.h"

namespace kiln::cli {

enum class ExitCode : int {
  done = 0,
  doesNotCompile = 1,
  usage = 2,
  unreachable = 3,
  refused = 4,
  notFinished = 5,
};

ExitCode exitCodeOf(FailureKind kind);
// One line for each code, for --help.
std::string exitCodeHelp();

}  // namespace kiln::cli
