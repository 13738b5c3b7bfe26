// The hip frontend: compiles with hiprtc.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>

#include "jit/compiler.h"
#include "jit/failure.h"

namespace kiln::hiprtc {

// Loads hiprtc from `library`. Failure: toolchainUnavailable.
std::expected<std::unique_ptr<Compiler>, Failure> load(const std::filesystem::path& library);

}  // namespace kiln::hiprtc
