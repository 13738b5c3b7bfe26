// Which toolchain a request gets, and what to say if there is none.
#pragma once

#include <expected>
#include <string_view>
#include <vector>

#include "jit/failure.h"
#include "jit/toolchain.h"

namespace kiln {

// As chooseToolchain(). Failure: toolchainUnavailable, naming those there are.
std::expected<const Toolchain*, Failure> toolchainFor(const std::vector<Toolchain>& toolchains,
                                                      Language language, std::string_view name);

// For a request of unknown language: the choice for every language there is; never empty.
std::expected<std::vector<const Toolchain*>, Failure> toolchainsForAnyLanguage(
    const std::vector<Toolchain>& toolchains, std::string_view name);

}  // namespace kiln
