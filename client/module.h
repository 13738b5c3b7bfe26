// Compile and load in one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client/client.h"
#include "client/loaders/loader.h"

namespace kiln::client {

// A module, or why there is none: no answer, a reply that is a failure, a problem of the driver.
struct ModuleReply {
  std::unique_ptr<LoadedModule> module;
  std::optional<Reached<Reply>> reply;  // nothing if the driver was not there to begin with
  std::optional<LoadProblem> problem;
};

// The output that the loader takes is asked for, whatever `request` says. A binary that the driver refuses is
// reported to kilnd and, unless kilnd knows that it is of no use, compiled and loaded once more.
ModuleReply compileAndLoad(Client& client, Request request, const CompileOptions& options, LoaderKind kind);

}  // namespace kiln::client
