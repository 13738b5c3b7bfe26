// What kiln makes of an MLIR request and of its options: pure functions of text.
//
//   -O0 -O1 -O2 -O3     how LLVM optimises what MLIR gives, and generates code; -O2 unless given
//   pipeline=PIPELINE   these passes in place of the default ones for the target, as mlir-opt takes them
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/failure.h"
#include "jit/request.h"

namespace kiln::mlirir {

// What may not stand in a request: other options than those above, or one twice; headers, include directories
// and name expressions, which MLIR has none of; outputs that LLVM does not make for the target.
std::expected<void, Failure> checkOptions(const Request& request);

// With a stated pipeline, whose passes may add debug information, which says what the source is called.
bool optionsBindNames(const Request& request);

std::optional<std::string_view> pipelineIn(const std::vector<std::string>& options);

}  // namespace kiln::mlirir
