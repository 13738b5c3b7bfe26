// The one compiler library of this process.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "frontends/frontend.h"
#include "jit/compiler.h"

namespace kiln {

struct LoadedToolchain {
  const Frontend* frontend = nullptr;
  std::unique_ptr<Compiler> compiler;
  std::string directory;  // of the library, without symbolic links
};

using LoadCompiler = std::function<std::expected<std::unique_ptr<Compiler>, Failure>()>;

// Has `load` load `library` for `frontend`, and pays what the first use of it, and of kiln's own digests,
// costs. Failure: toolchainUnavailable, or what the frontend says.
std::expected<LoadedToolchain, Failure> loadToolchain(const Frontend& frontend,
                                                      const std::filesystem::path& library,
                                                      const LoadCompiler& load);

}  // namespace kiln
