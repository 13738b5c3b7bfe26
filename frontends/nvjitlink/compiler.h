// The ptx frontend: compiles PTX and links it, LTO IR too, with nvJitLink.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>

#include "frontends/library_search.h"
#include "jit/compiler.h"
#include "jit/failure.h"

namespace kiln::nvjitlink {

LibraryKind libraryKind();

// Loads nvJitLink from `library`. Failure: toolchainUnavailable.
std::expected<std::unique_ptr<Compiler>, Failure> load(const std::filesystem::path& library);

}  // namespace kiln::nvjitlink
