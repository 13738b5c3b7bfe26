// What the options of the languages that LLVM ends have in common: a level, -O0 to -O3, and a pass pipeline.
// Pure functions of text.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "jit/failure.h"
#include "jit/request.h"
#include "jit/stages.h"

namespace kiln {

struct IrOptions {
  std::string_view language;  // for a person: "LLVM IR"
  std::string_view pipeline;  // what the option of the pipeline begins with: "-passes="
  // How the names of passes begin that print or write what they work on, or run programs.
  std::span<const std::string_view> refusedPasses;
};

// What may not stand in a request: other options than a level and a pipeline, or one twice; a refused pass;
// headers, include directories and name expressions; outputs that LLVM does not make for the target.
std::expected<void, Failure> checkIrRequest(const Request& request, const IrOptions& options);

// Of a request for a cubin: its PTX is generated, which nvJitLink links.
std::optional<Stages> irStagesOf(const Request& request);

// '0' to '3'; '2' unless it is given.
char irLevelIn(const std::vector<std::string>& options);

// Nothing: none is given.
std::optional<std::string_view> irPipelineIn(const std::vector<std::string>& options,
                                             const IrOptions& ofLanguage);

}  // namespace kiln
