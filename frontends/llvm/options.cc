#include "frontends/llvm/options.h"

#include <array>

#include "frontends/ir_options.h"

namespace kiln::llvmir {
namespace {

constexpr std::array<std::string_view, 6> kRefused = {"print", "view", "dot-", "dump", "write-", "aa-eval"};

constexpr IrOptions kOptions = {"LLVM IR", "-passes=", kRefused};

}  // namespace

std::expected<void, Failure> checkOptions(const Request& request) {
  return checkIrRequest(request, kOptions);
}

bool optionsBindNames(const Request&) { return false; }

std::optional<std::string_view> pipelineIn(const std::vector<std::string>& options) {
  return irPipelineIn(options, kOptions);
}

}  // namespace kiln::llvmir
