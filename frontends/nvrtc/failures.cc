#include "frontends/nvrtc/failures.h"

#include <algorithm>
#include <utility>

namespace kiln::nvrtc {
namespace {

// NVRTC calls it a compile error when one of its parts cannot get memory.
bool saysOutOfMemory(std::string_view line) {
  constexpr std::string_view kFrontEnd = "atastrophic error: ";  // with a capital where it has no place
  // ptxas says the second where it does not notice what it lacks.
  if (line == "ptxas fatal   : Memory allocation failure" ||
      line == "ptxas fatal   : Internal compiler error, please report") {
    return true;
  }
  // All that follows the first "catastrophic error: ", and not on a line that quotes the source, which begins
  // with a blank: a source that speaks of memory, in an #error say, is not mistaken.
  auto at = line.find(kFrontEnd);
  return at != std::string_view::npos && line.front() != ' ' &&
         line.substr(at + kFrontEnd.size()) == "out of memory";
}

// An error of the source is always told; of ptxas's lack of memory the log may hold nothing.
bool logSaysOutOfMemory(std::string_view log) {
  if (log.empty()) return true;
  while (!log.empty()) {
    auto end = std::min(log.find('\n'), log.size());
    if (saysOutOfMemory(log.substr(0, end))) return true;
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  return false;
}

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
