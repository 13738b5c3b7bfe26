#include "frontends/nvrtc/options.h"

#include <algorithm>
#include <array>
#include <utility>

#include "frontends/nvrtc/option_syntax.h"
#include "frontends/nvrtc/stages.h"
#include "frontends/ptxas_options.h"
#include "frontends/refusals.h"

namespace kiln::nvrtc {
namespace {

constexpr std::string_view kPrecompiled =
    "it is for precompiled headers, which depend on files and memory addresses that no key covers";
constexpr std::string_view kTimes = "it writes a file, and writes other times into it whenever it compiles";
constexpr std::string_view kOwnCache = "it is for NVRTC's own cache, which kiln replaces";

constexpr std::array kRefused = {
    Refusal{"--pch", kPrecompiled},
    Refusal{"--create-pch", kPrecompiled},
    Refusal{"--use-pch", kPrecompiled},
    Refusal{"--pch-dir", kPrecompiled},
    Refusal{"--pch-verbose", kPrecompiled},
    Refusal{"--pch-messages", kPrecompiled},
    Refusal{"--instantiate-templates-in-pch", kPrecompiled},
    Refusal{"--time", kTimes},
    Refusal{"--fdevice-time-trace", kTimes},
    Refusal{"--enable-cache-trace", kOwnCache},
    Refusal{"--split-compile", kStartsThreads},
    Refusal{"-Xnvvm", kReachesNvvm},
    Refusal{"-Xopt", kReachesNvvm},
    Refusal{"-Xllc", kReachesNvvm},
    Refusal{"--optix-ir", "it makes NVRTC yield OptiX IR alone, an output that kiln does not have"},
    Refusal{"--include-path", "include directories stand in the request's own field"},
    Refusal{"--gpu-architecture", kNamesTarget},
};

// The front end's options that only choose among diagnostics. It has others that name directories and write
// files.
constexpr std::array<std::string_view, 2> kAllowedOfFrontEnd = {"--diag_", "--display_error_number"};

Failure invalid(std::string message) { return {FailureKind::invalidRequest, std::move(message)}; }

std::string quoted(const Option& option) {
  std::string text = "'" + std::string(option.spelling);
  if (option.value) text += " " + std::string(*option.value);
  return text + "'";
}

std::expected<void, Failure> checkOption(const Option& option) {
  auto reason = reasonFor(option.name, kRefused);
  if (option.name == "--ptxas-options" && option.value) reason = refusalOfPtxasOption(*option.value);
  if (!reason.empty()) {
    return std::unexpected(invalid("the option " + quoted(option) +
                                   " cannot be used: " + std::string(reason) + "; leave it out"));
  }
  if (option.name != "-Xcudafe" || !option.value) return {};
  bool allowed = std::any_of(kAllowedOfFrontEnd.begin(), kAllowedOfFrontEnd.end(),
                             [&](std::string_view prefix) { return option.value->starts_with(prefix); });
  if (allowed) return {};
  return std::unexpected(
      invalid("the option " + quoted(option) +
              " cannot be used: it hands an option to the front end unseen, which may write files or "
              "read some that kiln does not key; only --diag_... and --display_error_number may be "
              "handed on so"));
}

bool isLto(const Option& option) { return option.name == "--dlink-time-opt"; }

bool bindsNames(const Option& option) {
  // --pre-include names a file without an #include that would tell where it is looked for.
  constexpr std::array<std::string_view, 7> kBinding = {
      "--device-debug", "--generate-line-info",      "--pre-include", "--dlink-time-opt", "--gen-opt-lto",
      "--device-c",     "--extensible-whole-program"};
  if (option.name == "--relocatable-device-code") return option.value != "false";
  return std::find(kBinding.begin(), kBinding.end(), option.name) != kBinding.end();
}

std::expected<void, Failure> checkOutputs(const Request& request) {
  bool lto = optionsAskForLto(request.options);
  for (auto output : request.outputs) {
    auto wanted = std::string(name(output));
    if (lto && output != OutputKind::ltoir) {
      return std::unexpected(invalid("the option '-dlto' makes NVRTC yield LTO IR and no " + wanted +
                                     "; leave it out, or ask for the output ltoir alone"));
    }
    if (output >= OutputKind::hsaco) {
      return std::unexpected(
          invalid("NVRTC yields no " + wanted + "; ask for the output cubin, ptx or ltoir"));
    }
    if (output == OutputKind::cubin && request.target.kind == Target::Kind::nvidiaVirtual) {
      return std::unexpected(invalid("the target " + request.target.name +
                                     " yields PTX and no cubin; ask for the output "
                                     "ptx, or for a target such as sm_90"));
    }
  }
  return {};
}

// Puts what `option` says into the request's own fields; false if it is to stay among the options.
std::expected<bool, Failure> absorb(const Option& option, Request& request) {
  bool isArchitecture = option.name == "--gpu-architecture";
  bool isDirectory = option.name == "--include-path";
  if (option.name == "--no-cache") return true;
  if (!isArchitecture && !isDirectory) return false;
  if (!option.value || option.value->empty()) {
    return std::unexpected(invalid("the option '" + std::string(option.spelling) + "' lacks its value; add " +
                                   (isArchitecture ? "an architecture" : "a directory") +
                                   " or leave it out"));
  }
  if (isDirectory) {
    request.names.includeDirectories.emplace_back(*option.value);
  } else if (const auto& compiledFor = request.virtualArchitecture.value_or(request.target);
             *option.value != compiledFor.name) {
    return std::unexpected(invalid("the option " + quoted(option) + " contradicts the " +
                                   (request.virtualArchitecture ? "virtual architecture " : "target ") +
                                   compiledFor.name + "; leave the option out, or ask for that"));
  }
  return true;
}

// NVRTC takes blanks off the end of a directory's name. A role that kept them would be another directory.
std::expected<void, Failure> stripDirectories(Request& request) {
  for (auto& directory : request.names.includeDirectories) {
    directory.resize(directory.find_last_not_of(" \t\n\v\f\r") + 1);
    if (directory.empty()) {
      return std::unexpected(
          invalid("an include directory has no name but blanks, which NVRTC takes off; leave it out"));
    }
  }
  return {};
}

}  // namespace

std::expected<Request, Failure> normalised(Request request) {
  std::vector<std::string> kept;
  auto given = std::exchange(request.options, {});
  for (const auto& option : parseOptions(given)) {
    auto absorbed = absorb(option, request);
    if (!absorbed) return std::unexpected(std::move(absorbed.error()));
    if (*absorbed) continue;
    for (auto i = option.index; i < option.index + option.elements; ++i) kept.push_back(given[i]);
  }
  request.options = std::move(kept);
  if (auto stripped = stripDirectories(request); !stripped)
    return std::unexpected(std::move(stripped.error()));
  if (auto checked = checkOptions(request); !checked) return std::unexpected(std::move(checked.error()));
  return request;
}

std::expected<void, Failure> checkOptions(const Request& request) {
  for (const auto& option : parseOptions(request.options)) {
    if (auto checked = checkOption(option); !checked) return checked;
  }
  if (request.virtualArchitecture) {
    if (auto checked = checkStages(request); !checked) return checked;
  }
  return checkOutputs(request);
}

bool optionsBindNames(const Request& request) {
  auto options = parseOptions(request.options);
  return std::find(request.outputs.begin(), request.outputs.end(), OutputKind::ltoir) !=
             request.outputs.end() ||
         std::any_of(options.begin(), options.end(), bindsNames);
}

bool optionsAskForLto(const std::vector<std::string>& options) {
  auto parsed = parseOptions(options);
  return std::any_of(parsed.begin(), parsed.end(), isLto);
}

}  // namespace kiln::nvrtc
