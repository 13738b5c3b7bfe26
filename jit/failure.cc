#include "jit/failure.h"

namespace kiln {

std::string_view name(FailureKind kind) {
  switch (kind) {
    case FailureKind::compileError:
      return "compile_error";
    case FailureKind::invalidRequest:
      return "invalid_request";
    case FailureKind::unsupportedTarget:
      return "unsupported_target";
    case FailureKind::toolchainUnavailable:
      return "toolchain_unavailable";
    case FailureKind::timeout:
      return "timeout";
    case FailureKind::memoryLimit:
      return "memory_limit";
    case FailureKind::compilerCrash:
      return "compiler_crash";
    case FailureKind::notPinned:
      return "not_pinned";
    case FailureKind::overloaded:
      return "overloaded";
    case FailureKind::internal:
      return "internal";
    case FailureKind::fileUnavailable:
      return "file_unavailable";
  }
  return "internal";
}

std::optional<FailureKind> failureKindFromNumber(std::uint16_t number) {
  if (number < 1 || number > 11) return std::nullopt;
  return static_cast<FailureKind>(number);
}

bool isDeterministic(FailureKind kind) { return kind == FailureKind::compileError; }

}  // namespace kiln
