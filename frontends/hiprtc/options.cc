#include "frontends/hiprtc/options.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frontends/refusals.h"

namespace kiln::hiprtc {
namespace {

// An option with its value, which may be an element of its own.
struct Option {
  std::string_view name;   // up to the value: "-I", "--gpu-architecture="
  std::string_view value;  // empty if it has none
  std::size_t index = 0;
  std::size_t elements = 1;
};

// Those whose value kiln takes, or must know to read the others right: clang takes the element behind them
// for the value whatever that looks like. Those with a '=' have it in the same element alone.
constexpr std::array<std::string_view, 18> kNextIsValue = {
    "-I",       "-D",      "-U",         "-include",    "-imacros",
    "-isystem", "-iquote", "-idirafter", "-iprefix",    "-iwithprefix",
    "-Xclang",  "-mllvm",  "-Xlinker",   "-Xassembler", "-Xpreprocessor",
    "-x",       "-target", "-o"};
constexpr std::array<std::string_view, 3> kArchitectures = {
    "--gpu-architecture=", "--offload-arch=", "--cuda-gpu-arch="};

Option parse(const std::vector<std::string>& options, std::size_t index) {
  const std::string_view element = options[index];
  for (auto name : kArchitectures) {
    if (element.starts_with(name)) return {name, element.substr(name.size()), index};
  }
  if (std::ranges::find(kNextIsValue, element) == kNextIsValue.end()) {
    if (element.starts_with("-I")) return {element.substr(0, 2), element.substr(2), index};
    return {element, {}, index};
  }
  if (index + 1 == options.size()) return {element, {}, index};
  return {element, options[index + 1], index, 2};
}

std::vector<Option> parseOptions(const std::vector<std::string>& options) {
  std::vector<Option> parsed;
  for (std::size_t i = 0; i < options.size(); i += parsed.back().elements) {
    parsed.push_back(parse(options, i));
  }
  return parsed;
}

constexpr std::string_view kTimes = "it makes the compiler tell times, which are others whenever it compiles";
constexpr std::string_view kCode = "it loads code into the compiler, which no key covers";
constexpr std::string_view kOutput = "it asks for another output than a compiled kernel";
constexpr std::string_view kFile = "it reads more options from a file, where kiln does not see them";
constexpr std::string_view kPrints = "it makes the compiler print what it works on, or show it by a program";

// By how they begin.
constexpr std::array kRefused = {
    Refusal{"-ftime-report", kTimes},
    Refusal{"-ftime-trace", kTimes},
    Refusal{"-fproc-stat-report", kTimes},
    Refusal{"-parallel-jobs", kStartsThreads},
    Refusal{"--offload-jobs", kStartsThreads},
    Refusal{"-flto-jobs", kStartsThreads},
    Refusal{"-fplugin", kCode},
    Refusal{"-fpass-plugin", kCode},
    Refusal{"@", kFile},
    Refusal{"--config", kFile},
    Refusal{"-E", kOutput},
    Refusal{"-M", kOutput},
    Refusal{"-fsyntax-only", kOutput},
    Refusal{"-o", kOutput},
    Refusal{"--output", kOutput},
    Refusal{"-###", kOutput},
    Refusal{"-I", "include directories stand in the request's own field"},
    Refusal{"--include-directory", "include directories stand in the request's own field; give them by -I"},
    Refusal{"--gpu-architecture", kNamesTarget},
    Refusal{"--offload-arch", kNamesTarget},
    Refusal{"--cuda-gpu-arch", kNamesTarget},
    Refusal{"-mcpu", kNamesTarget},
    Refusal{"-march", kNamesTarget},
    Refusal{"-target", kNamesTarget},
    Refusal{"--target", kNamesTarget},
};

// Values of -Xclang and -mllvm.
constexpr std::array kRefusedWithin = {
    Refusal{"-print-", kPrints},     Refusal{"-view-", kPrints},        Refusal{"-ast-", kPrints},
    Refusal{"-debug-pass", kPrints}, Refusal{"-dump", kPrints},         Refusal{"-load", kCode},
    Refusal{"-plugin", kCode},       Refusal{"-add-plugin", kCode},     Refusal{"-fpass-plugin", kCode},
    Refusal{"-time-passes", kTimes}, Refusal{"-track-memory", kTimes},  Refusal{"-ftime", kTimes},
    Refusal{"-print-stats", kTimes}, Refusal{"-stats", kTimes},         Refusal{"-threads", kStartsThreads},
    Refusal{"-E", kOutput},          Refusal{"-fsyntax-only", kOutput},
};

Failure invalid(std::string message) { return {FailureKind::invalidRequest, std::move(message)}; }

std::string quoted(const Option& option) {
  std::string text = "'" + std::string(option.name);
  if (option.elements > 1) text += " ";
  return text.append(option.value) + "'";
}

// "--plugin" is "-plugin" to LLVM.
std::string_view withOneDash(std::string_view text) { return text.starts_with("--") ? text.substr(1) : text; }

std::expected<void, Failure> checkOption(const Option& option) {
  auto reason = reasonForPrefixOf(option.name, kRefused);
  for (std::string_view handing : {"-Xclang", "-mllvm"}) {
    if (!option.name.starts_with(handing)) continue;
    auto handed = option.value;
    // Later versions of clang take it in one element.
    if (option.name.size() > handing.size()) handed = option.name.substr(handing.size() + 1);
    reason = reasonForPrefixOf(withOneDash(handed), kRefusedWithin);
  }
  if (reason.empty()) return {};
  return std::unexpected(
      invalid("the option " + quoted(option) + " cannot be used: " + std::string(reason) + "; leave it out"));
}

std::expected<void, Failure> checkOutputs(const Request& request) {
  const bool relocatable = std::ranges::find(request.options, "-fgpu-rdc") != request.options.end();
  for (auto output : request.outputs) {
    if (output != OutputKind::hsaco && output != OutputKind::bitcode) {
      return std::unexpected(
          invalid("hiprtc yields no " + std::string(name(output)) + "; ask for the output hsaco or bitcode"));
    }
    if (relocatable && output == OutputKind::hsaco) {
      return std::unexpected(
          invalid("the option '-fgpu-rdc' makes hiprtc yield bitcode and no hsaco; leave it out, or ask for "
                  "the output bitcode alone"));
    }
  }
  return {};
}

// Puts what `option` says into the request's own fields; false if it is to stay among the options.
std::expected<bool, Failure> absorb(const Option& option, Request& request) {
  const bool isArchitecture = std::ranges::find(kArchitectures, option.name) != kArchitectures.end();
  const bool isDirectory = option.name == "-I";
  if (!isArchitecture && !isDirectory) return false;
  if (option.value.empty()) {
    return std::unexpected(invalid("the option '" + std::string(option.name) + "' lacks its value; add " +
                                   (isArchitecture ? "an architecture" : "a directory") +
                                   " or leave it out"));
  }
  if (isDirectory) {
    request.names.includeDirectories.emplace_back(option.value);
    return true;
  }
  const auto target = parseTarget(option.value);
  if (target && *target == request.target) return true;
  return std::unexpected(invalid("the option " + quoted(option) + " contradicts the target " +
                                 request.target.name + "; leave the option out, or ask for that target"));
}

bool bindsNames(const Option& option) {
  if (option.name.starts_with("-g") && option.name != "-g0") return true;
  // Those that hand an option on unseen, and those that embed the command line or name files.
  constexpr std::array<std::string_view, 14> kBinding = {"-include",
                                                         "-imacros",
                                                         "-fcoverage",
                                                         "-fprofile",
                                                         "-fdebug",
                                                         "--coverage",
                                                         "-Xclang",
                                                         "-Xarch_",
                                                         "-Xpreprocessor",
                                                         "-Wp,",
                                                         "-frecord",
                                                         "-fsave-optimization-record",
                                                         "-foptimization-record",
                                                         "-fembed-bitcode"};
  return std::ranges::any_of(kBinding, [&](auto prefix) { return option.name.starts_with(prefix); });
}

}  // namespace

std::expected<Request, Failure> normalised(Request request) {
  std::vector<std::string> kept;
  const auto given = std::exchange(request.options, {});
  for (const auto& option : parseOptions(given)) {
    auto absorbed = absorb(option, request);
    if (!absorbed) return std::unexpected(std::move(absorbed.error()));
    if (*absorbed) continue;
    for (auto i = option.index; i < option.index + option.elements; ++i) kept.push_back(given[i]);
  }
  request.options = std::move(kept);
  if (auto checked = checkOptions(request); !checked) return std::unexpected(std::move(checked.error()));
  return request;
}

std::expected<void, Failure> checkOptions(const Request& request) {
  for (const auto& option : parseOptions(request.options)) {
    if (auto checked = checkOption(option); !checked) return checked;
  }
  return checkOutputs(request);
}

bool optionsBindNames(const Request& request) {
  return std::ranges::any_of(parseOptions(request.options), bindsNames);
}

}  // namespace kiln::hiprtc
