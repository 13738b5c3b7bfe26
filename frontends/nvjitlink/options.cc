#include "frontends/nvjitlink/options.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "frontends/nvjitlink/inputs.h"
#include "frontends/nvjitlink/ptx.h"
#include "frontends/ptxas_options.h"
#include "frontends/refusals.h"

namespace kiln::nvjitlink {
namespace {

constexpr std::string_view kTimes =
    "nvJitLink then prints how long it took, which is another text every time";

// By how they begin.
constexpr std::array kRefused = {
    Refusal{"-time", kTimes},
    Refusal{"-verbose", kTimes},
    Refusal{"-split-compile", kStartsThreads},
    Refusal{"--trace", "it tells of the node's driver, which no compile depends on"},
    Refusal{"-uidx", "it names a file, which nvJitLink would read"},
    Refusal{"-ptx", "it asks for PTX, and the output of a ptx request is the cubin"},
    Refusal{"-Xnvvm", kReachesNvvm},
    Refusal{"-arch", kNamesTarget},
};

Failure invalid(std::string message) { return {FailureKind::invalidRequest, std::move(message)}; }

std::string_view valueOf(std::string_view option) {
  auto sign = option.find('=');
  return sign == std::string_view::npos ? std::string_view() : option.substr(sign + 1);
}

std::expected<void, Failure> checkOption(std::string_view option) {
  auto reason = reasonForPrefixOf(option, kRefused);
  if (option.starts_with("-Xptxas")) reason = refusalOfPtxasOption(valueOf(option));
  if (reason.empty()) return {};
  return std::unexpected(invalid("the option '" + std::string(option) +
                                 "' cannot be used: " + std::string(reason) + "; leave it out"));
}

std::expected<void, Failure> checkFields(const Request& request) {
  const auto lacks = [](const std::string& what) {
    return std::unexpected(invalid("PTX has no " + what + "; leave them out"));
  };
  if (!request.headers.empty()) return lacks("headers");
  if (!request.names.includeDirectories.empty()) return lacks("include directories");
  if (!request.nameExpressions.empty())
    return lacks("name expressions: its kernels have their final names already");
  if (request.target.kind == Target::Kind::nvidiaVirtual) {
    return std::unexpected(invalid("the target " + request.target.name +
                                   " is virtual, and PTX is compiled to machine code; ask for a target such "
                                   "as sm_90"));
  }
  for (auto output : request.outputs) {
    if (output == OutputKind::cubin) continue;
    return std::unexpected(invalid("nvJitLink makes a cubin of PTX and no " + std::string(name(output)) +
                                   "; ask for the output cubin"));
  }
  return {};
}

std::string whereItRuns(const std::string& moduleTarget) {
  constexpr std::string_view kElse = ", or generate the PTX for an earlier architecture";
  switch (moduleTarget.back()) {
    case 'a':
      return "it runs on " + moduleTarget + " alone: ask for that target";
    case 'f':
      return "ask for " + moduleTarget + " or a later architecture of its family" + std::string(kElse);
    default:
      return "ask for " + moduleTarget + " or a later architecture" + std::string(kElse);
  }
}

// The compiler would say as much without naming what it was asked for.
std::expected<void, Failure> checkModule(const Input& input, const Target& target) {
  const auto module = directivesOf(input.content);
  if (mayRunOn(module.target, target.name)) return {};
  return std::unexpected(Failure{FailureKind::unsupportedTarget,
                                 "'" + std::string(input.name) + "' is PTX for " + module.target +
                                     " (.version " + module.version + "), which does not run on the target " +
                                     target.name + "; " + whereItRuns(module.target)});
}

// nvJitLink takes LTO IR under -lto alone, and under -lto nothing but PTX for a program without a module.
std::expected<void, Failure> checkLto(const std::vector<Input>& inputs, const Request& request) {
  const auto option = std::find_if(request.options.begin(), request.options.end(),
                                   [](std::string_view one) { return one.starts_with("-lto"); });
  const auto ltoIr =
      std::find_if(inputs.begin(), inputs.end(), [](const Input& input) { return isLtoIr(input.content); });
  const bool isGiven = option != request.options.end();
  if (isGiven == (ltoIr != inputs.end())) return {};
  if (isGiven) {
    return std::unexpected(invalid("the option '" + *option + "' links LTO IR, and '" + request.names.source +
                                   "'" + (inputs.size() > 1 ? " and what is linked with it are" : " is") +
                                   " PTX; leave it out, or give an input in LTO IR"));
  }
  return std::unexpected(invalid("'" + std::string(ltoIr->name) +
                                 "' is LTO IR, which nvJitLink links with the option -lto alone; add it"));
}

std::expected<void, Failure> checkInputs(const Request& request) {
  const auto inputs = inputsOf(request);
  for (const auto& input : inputs) {
    if (isLtoIr(input.content)) continue;
    if (auto checked = checkModule(input, request.target); !checked) return checked;
  }
  return checkLto(inputs, request);
}

}  // namespace

std::expected<Request, Failure> normalised(Request request) {
  const auto isSaidElsewhere = [&](const std::string& option) {
    return option == "-no-cache" || option == "-arch=" + request.target.name;
  };
  std::erase_if(request.options, isSaidElsewhere);
  if (auto checked = checkOptions(request); !checked) return std::unexpected(std::move(checked.error()));
  return request;
}

std::expected<void, Failure> checkOptions(const Request& request) {
  for (const auto& option : request.options) {
    if (auto checked = checkOption(option); !checked) return checked;
  }
  if (auto checked = checkFields(request); !checked) return checked;
  return checkInputs(request);
}

bool optionsBindNames(const Request&) { return false; }

}  // namespace kiln::nvjitlink
