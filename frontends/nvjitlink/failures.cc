#include "frontends/nvjitlink/failures.h"

#include <algorithm>
#include <array>
#include <utility>

#include "frontends/log_lines.h"
#include "frontends/nvidia_log.h"

namespace kiln::nvjitlink {
namespace {

// nvJitLink's own lines say which call failed. Where one of its parts could not get memory nothing else is
// said: an error of the PTX, or of an option, always has a line of ptxas's.
bool saysOutOfMemory(std::string_view errors) {
  constexpr std::string_view kOwn = "ERROR ";
  const bool isTold = anyLine(errors, [&](std::string_view line) { return !line.starts_with(kOwn); });
  return !isTold || logSaysOutOfMemory(errors);
}

// What ptxas says of an option that was handed to it.
bool saysBadOption(std::string_view errors) {
  constexpr std::array<std::string_view, 4> kSayings = {
      "ptxas fatal   : Unknown option", "ptxas fatal   : Invalid value",
      "ptxas fatal   : no argument expected", "': expected "};
  return anyLine(errors, [&](std::string_view line) {
    return line.starts_with("ptxas fatal ") &&
           std::any_of(kSayings.begin(), kSayings.end(),
                       [&](std::string_view saying) { return line.find(saying) != line.npos; });
  });
}

// The version of PTX that is too new; empty if the log says no such thing.
std::string newerVersion(std::string_view errors) {
  constexpr std::string_view kUnsupported = "Unsupported .version ";
  auto at = errors.find(kUnsupported);
  if (at == std::string_view::npos) return {};
  auto version = errors.substr(at + kUnsupported.size());
  return std::string(version.substr(0, version.find(';')));
}

bool says(std::string_view errors, std::string_view saying) { return errors.find(saying) != errors.npos; }

// 12 has one result, and 13 several, for LTO IR that does not go with the request.
bool isForLaterArchitecture(Result result, std::string_view errors) {
  return result == Result::architectureMismatch || says(errors, "LTOIR arch newer than target arch");
}

bool isOfNewerCompiler(std::string_view errors) {
  return says(errors, "may need newer version of nvJitLink");
}

struct Cause {
  FailureKind kind;
  std::string problem;
};

Cause causeOf(Step step, Result result, const std::string& compiler, std::string_view errors) {
  const Cause found = {FailureKind::compileError, compiler + " found errors, as its log shows"};
  const Cause outOfMemory = {
      FailureKind::memoryLimit,
      compiler + " ran out of memory; raise the memory limit (memory_limit_mb in kilnd's configuration)"};
  const Cause badOption = {FailureKind::invalidRequest,
                           compiler + " refuses an option; the log says which and why"};
  switch (result) {
    case Result::unrecognizedOption:
    case Result::missingArchitecture:
    case Result::incompatibleOptions:
      return badOption;
    case Result::unrecognizedArchitecture:
    case Result::unsupportedArchitecture:
      return {FailureKind::unsupportedTarget, compiler + " does not compile for the target"};
    case Result::invalidInput:
    case Result::incorrectInputType:
      if (step == Step::create) return badOption;
      return {FailureKind::compileError,
              "it is no PTX and no LTO IR; give the text that begins with .version, or what NVRTC makes as "
              "ltoir"};
    case Result::ptxCompile:
      if (saysOutOfMemory(errors)) return outOfMemory;
      if (saysBadOption(errors)) return badOption;
      if (auto version = newerVersion(errors); !version.empty()) {
        return {FailureKind::compileError, "its .version " + version + " is newer than " + compiler +
                                               " takes; choose a newer toolchain, or generate older PTX"};
      }
      return found;
    case Result::nvvmCompile:
      if (saysOutOfMemory(errors)) return outOfMemory;
      return says(errors, "NVVM_ERROR_INVALID_OPTION") ? badOption : found;
    case Result::architectureMismatch:
    case Result::internal:
      if (isForLaterArchitecture(result, errors)) {
        return {FailureKind::unsupportedTarget,
                "it is LTO IR for a later architecture than the target; ask for that, or make it for an "
                "earlier one"};
      }
      if (isOfNewerCompiler(errors)) {
        return {FailureKind::compileError,
                "it is LTO IR of a newer compiler than " + compiler +
                    " takes; choose a newer toolchain, or make it by an older one"};
      }
      if (saysLinkError(errors)) {
        return {FailureKind::compileError, compiler + " cannot link it, as its log shows"};
      }
      break;
    case Result::success:
      break;
  }
  return {FailureKind::internal,
          compiler + " failed with result " + std::to_string(static_cast<int>(result))};
}

}  // namespace

// Undefined references, too much shared memory; with a mark in front where it is printed.
bool saysLinkError(std::string_view errors) {
  return anyLine(errors, [](std::string_view line) {
    return line.starts_with("error   : ") || line.starts_with("@E@error   : ");
  });
}

Failure failureOf(Step step, Result result, std::string_view compiler, std::string_view source,
                  std::string_view errors, std::string log) {
  auto cause = causeOf(step, result, std::string(compiler), errors);
  return {cause.kind, "compiling '" + std::string(source) + "': " + cause.problem, std::move(log)};
}

}  // namespace kiln::nvjitlink
