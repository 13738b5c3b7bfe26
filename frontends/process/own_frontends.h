// How a compiler program loads the compilers that it runs: each program defines its own.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <vector>

#include "frontends/frontend.h"

namespace kiln {

// Loads the compiler of a row of the table whose program this is: `library` and the files that it is handed
// besides (Toolchain::handed).
std::expected<std::unique_ptr<Compiler>, Failure> loadOwn(const Frontend& frontend,
                                                          const std::filesystem::path& library,
                                                          const std::vector<std::filesystem::path>& handed);

}  // namespace kiln
