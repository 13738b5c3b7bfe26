// What kiln makes of an LLVM IR request and of its options: pure functions of text.
//
//   -O0 -O1 -O2 -O3     the default pipeline of that level, and code generation at it; -O2 unless given
//   -passes=PIPELINE    these passes in place of the default pipeline, as opt takes them
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/failure.h"
#include "jit/request.h"

namespace kiln::llvmir {

// What may not stand in a request: other options than those above, or one twice; headers, include directories
// and name expressions, which LLVM IR has none of; outputs that LLVM does not make for the target.
std::expected<void, Failure> checkOptions(const Request& request);

// Never: what a module holds of names stands in its text.
bool optionsBindNames(const Request& request);

std::optional<std::string_view> pipelineIn(const std::vector<std::string>& options);

}  // namespace kiln::llvmir
