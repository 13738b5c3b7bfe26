// Starting a kiln-compiler process.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "frontends/pool/process.h"
#include "jit/failure.h"

namespace kiln {

struct SpawnOrder {
  std::filesystem::path program;  // not looked for along PATH
  std::vector<std::string> arguments;
  std::optional<int> control = {};         // becomes descriptor 3
  std::optional<int> standardOutput = {};  // standard error's, unless given
  std::optional<int> standardError = {};   // kilnd's own, unless given
};

// Starts `program` with a clean slate: no signal blocked or ignored, a session of its own, nothing on
// standard input, no other descriptor, and no environment but the sanitizers' options: nothing of kilnd's
// surroundings can reach an output. The process is killed when the calling *thread* ends, so long-lived
// processes are started by the thread of the event loop alone. Returns once the program runs; a program that
// cannot be run is a Failure (toolchainUnavailable).
std::expected<Process, Failure> spawn(const SpawnOrder& order);

}  // namespace kiln
