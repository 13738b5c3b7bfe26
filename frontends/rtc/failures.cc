#include "frontends/rtc/failures.h"

#include <utility>

namespace kiln::rtc {
namespace {

Failure failure(FailureKind kind, std::string_view source, const std::string& problem, std::string log) {
  return {kind, "compiling '" + std::string(source) + "': " + problem, std::move(log)};
}

Failure outOfMemory(const Api& api, Result result, std::string_view source, std::string log) {
  return failure(FailureKind::memoryLimit, source,
                 std::string(api.compiler) + " ran out of memory (" + api->getErrorString(result) +
                     "); raise the memory limit (memory_limit_mb in kilnd's configuration)",
                 std::move(log));
}

}  // namespace

Failure compileFailure(const Api& api, Result result, std::string_view source, std::string log) {
  const std::string compiler(api.compiler);
  switch (result) {
    case Result::outOfMemory:
      return outOfMemory(api, result, source, std::move(log));
    case Result::compilation:
      return failure(FailureKind::compileError, source, compiler + " found errors, as its log shows",
                     std::move(log));
    case Result::invalidOption:
      return failure(FailureKind::invalidRequest, source,
                     compiler + " refuses an option; the log says which and why", std::move(log));
    case Result::builtinOperationFailure:
      return failure(FailureKind::toolchainUnavailable, source,
                     compiler + " cannot use its builtins library (" + api->getErrorString(result) +
                         "); the log may say why; install " + compiler + " anew",
                     std::move(log));
    default:
      return failure(FailureKind::internal, source, compiler + " failed with " + api->getErrorString(result),
                     std::move(log));
  }
}

Failure callFailure(const Api& api, Result result, std::string_view function, std::string_view source) {
  if (result == Result::outOfMemory) return outOfMemory(api, result, source, {});
  return failure(
      FailureKind::internal, source,
      std::string(api.prefix) + std::string(function) + " failed with " + api->getErrorString(result), {});
}

}  // namespace kiln::rtc
