#include "client/cli/exit_code.h"

#include <array>

namespace kiln::cli {
namespace {

struct Row {
  ExitCode code;
  const char* meaning;
};

constexpr std::array kTable = {
    Row{ExitCode::done, "done"},
    Row{ExitCode::doesNotCompile,
        "the kernel does not compile (compile_error); of diff, the bundles differ; of coverage, a kernel "
        "would miss"},
    Row{ExitCode::usage, "the command line is wrong, or a file it names cannot be read or written"},
    Row{ExitCode::unreachable, "kilnd cannot be reached"},
    Row{ExitCode::refused,
        "the request cannot be served as it stands (invalid_request, unsupported_target, "
        "toolchain_unavailable, file_unavailable, not_pinned), there is no such entry, kernel or bundle, or "
        "a "
        "lock or a bundle cannot be read or written"},
    Row{ExitCode::notFinished,
        "kilnd did not get to the end of it (timeout, memory_limit, compiler_crash, overloaded, "
        "internal), or the kernel crashed"},
};

}  // namespace

ExitCode exitCodeOf(FailureKind kind) {
  switch (kind) {
    case FailureKind::compileError:
      return ExitCode::doesNotCompile;
    case FailureKind::invalidRequest:
    case FailureKind::unsupportedTarget:
    case FailureKind::toolchainUnavailable:
    case FailureKind::fileUnavailable:
    case FailureKind::notPinned:
      return ExitCode::refused;
    case FailureKind::timeout:
    case FailureKind::memoryLimit:
    case FailureKind::compilerCrash:
    case FailureKind::overloaded:
    case FailureKind::internal:
      break;
  }
  return ExitCode::notFinished;
}

std::string exitCodeHelp() {
  std::string help = "Exit status:\n";
  for (const auto& row : kTable) {
    help += "  " + std::to_string(static_cast<int>(row.code)) + "  " + row.meaning + "\n";
  }
  return help;
}

}  // namespace kiln::cli
