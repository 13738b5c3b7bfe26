// The frontends that a compiler program runs: each program defines its own.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "frontends/frontend.h"

namespace kiln {

// The row of the table that is called `name`; null if it is of another program.
const Frontend* ownFrontend(std::string_view name);

// Loads the compiler of such a row: `library` and the files that it is handed besides (Frontend::handed).
std::expected<std::unique_ptr<Compiler>, Failure> loadOwn(const Frontend& frontend,
                                                          const std::filesystem::path& library,
                                                          const std::vector<std::filesystem::path>& handed);

}  // namespace kiln
