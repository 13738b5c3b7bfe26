#include "frontends/mlir/options.h"

#include <array>

#include "frontends/ir_options.h"

namespace kiln::mlirir {
namespace {

constexpr std::array<std::string_view, 10> kRefused = {"print",
                                                       "view",
                                                       "dump",
                                                       "op-stats",
                                                       "snapshot",
                                                       "location-snapshot",
                                                       "gpu-module-to-binary",
                                                       "gpu-lower-to",
                                                       "generate-",
                                                       "transform"};

constexpr IrOptions kOptions = {"MLIR", "pipeline=", kRefused};

}  // namespace

std::expected<void, Failure> checkOptions(const Request& request) {
  return checkIrRequest(request, kOptions);
}

// A pipeline may add debug information.
bool optionsBindNames(const Request& request) { return pipelineIn(request.options).has_value(); }

std::optional<std::string_view> pipelineIn(const std::vector<std::string>& options) {
  return irPipelineIn(options, kOptions);
}

}  // namespace kiln::mlirir
