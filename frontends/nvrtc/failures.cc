#include "frontends/nvrtc/failures.h"

#include <utility>

#include "frontends/nvidia_log.h"

namespace kiln::nvrtc {
namespace {

Failure failure(FailureKind kind, std::string_view source, const std::string& problem, std::string log) {
  return {kind, "compiling '" + std::string(source) + "': " + problem, std::move(log)};
}

Failure outOfMemory(std::string_view source, const std::string& name, std::string log) {
  return failure(FailureKind::memoryLimit, source,
                 "NVRTC ran out of memory (" + name +
                     "); raise the memory limit (memory_limit_mb in kilnd's configuration)",
                 std::move(log));
}

}  // namespace

Failure compileFailure(const Library& library, Result result, std::string_view source, std::string log) {
  auto name = std::string(library->getErrorString(result));
  if (result == Result::outOfMemory || (result == Result::compilation && logSaysOutOfMemory(log))) {
    return outOfMemory(source, name, std::move(log));
  }
  switch (result) {
    case Result::compilation:
      return failure(FailureKind::compileError, source, "NVRTC found errors, as its log shows",
                     std::move(log));
    case Result::invalidOption:
      return failure(FailureKind::invalidRequest, source,
                     "NVRTC refuses an option; the log says which and why", std::move(log));
    case Result::builtinOperationFailure:
      return failure(
          FailureKind::toolchainUnavailable, source,
          "NVRTC cannot use its builtins library (" + name + "); the log may say why; install NVRTC anew",
          std::move(log));
    default:
      return failure(FailureKind::internal, source, "NVRTC failed with " + name, std::move(log));
  }
}

Failure callFailure(const Library& library, Result result, std::string_view function,
                    std::string_view source) {
  auto name = std::string(library->getErrorString(result));
  if (result == Result::outOfMemory) return outOfMemory(source, name, {});
  return failure(FailureKind::internal, source, std::string(function) + " failed with " + name, {});
}

}  // namespace kiln::nvrtc
