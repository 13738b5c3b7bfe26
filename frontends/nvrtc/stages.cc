#include "frontends/nvrtc/stages.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frontends/nvjitlink/ptx.h"
#include "frontends/nvrtc/option_syntax.h"

namespace kiln::nvrtc {
namespace {

constexpr std::array<std::string_view, 5> kOneStage = {"--relocatable-device-code", "--device-c",
                                                       "--extensible-whole-program", "--dlink-time-opt",
                                                       "--gen-opt-lto"};

std::unexpected<Failure> invalid(std::string message) {
  return std::unexpected(Failure{FailureKind::invalidRequest, std::move(message)});
}

// "sm_80" of "compute_80": what the PTX says its target is.
std::string moduleTarget(const Target& virtualArchitecture) {
  return "sm_" + virtualArchitecture.name.substr(std::string_view("compute_").size());
}

std::string whatRunsOnMore(const Target& virtualArchitecture) {
  const auto& name = virtualArchitecture.name;
  const auto plain = name.substr(0, name.size() - 1);
  if (name.ends_with('a')) return "it runs on " + moduleTarget(virtualArchitecture) + " alone: give " + plain;
  if (name.ends_with('f')) return "it runs on its family alone: give " + plain;
  return "give a virtual architecture that is not newer than the target";
}

// nvJitLink's word for an option of NVRTC; nothing if it has none, or needs none since the PTX says it.
std::optional<std::string> linkOption(const Option& option) {
  if (option.name == "--device-debug") return "-g";
  if (option.name == "--generate-line-info") return "-lineinfo";
  if (option.name == "--disable-warnings") return "-Xptxas=-w";
  if (!option.value) return std::nullopt;
  const std::string value(*option.value);
  if (option.name == "--maxrregcount") return "-maxrregcount=" + value;
  if (option.name == "--ptxas-options") return "-Xptxas=" + value;
  for (std::string_view ofPtxas : {"--device-stack-protector", "--Ofast-compile"}) {
    if (option.name == ofPtxas) return "-Xptxas=" + std::string(ofPtxas) + "=" + value;
  }
  return std::nullopt;
}

std::vector<std::string> linkOptions(const std::vector<std::string>& options) {
  const auto parsed = parseOptions(options);
  // Then the PTX is optimised, and has lines where debug information would be.
  const bool isOptimised =
      std::any_of(parsed.begin(), parsed.end(), [](const Option& option) { return option.name == "--dopt"; });
  std::vector<std::string> ofLink;
  for (const auto& option : parsed) {
    auto given = linkOption(option);
    if (given == "-g" && isOptimised) given = "-lineinfo";
    if (given) ofLink.push_back(std::move(*given));
  }
  return ofLink;
}

}  // namespace

std::expected<void, Failure> checkStages(const Request& request) {
  const auto& generated = *request.virtualArchitecture;
  if (generated.kind != Target::Kind::nvidiaVirtual) {
    return invalid("the virtual architecture " + generated.name +
                   " is none that PTX is generated for; give one such as compute_80");
  }
  if (request.target.kind != Target::Kind::nvidiaReal ||
      request.outputs != std::vector<OutputKind>{OutputKind::cubin}) {
    return invalid(
        "by way of the virtual architecture " + generated.name +
        " a request yields a cubin and nothing else; ask for the output cubin and a target such as "
        "sm_90, or for the target " +
        generated.name + " alone, which yields PTX");
  }
  if (!nvjitlink::mayRunOn(moduleTarget(generated), request.target.name)) {
    return std::unexpected(
        Failure{FailureKind::unsupportedTarget, "PTX for " + generated.name + " does not run on the target " +
                                                    request.target.name + "; " + whatRunsOnMore(generated)});
  }
  for (const auto& option : parseOptions(request.options)) {
    if (std::find(kOneStage.begin(), kOneStage.end(), option.name) == kOneStage.end()) continue;
    if (option.value == "false") continue;
    return invalid("the option '" + std::string(option.spelling) +
                   "' is for code that is linked later, and the virtual architecture " + generated.name +
                   " for code that is linked at once; leave one of them out");
  }
  return {};
}

Stages stagesOf(const Request& request) {
  Stages stages{request, {}};
  auto& first = stages.first;
  auto& last = stages.last;
  first.target = *std::exchange(first.virtualArchitecture, std::nullopt);
  first.outputs = {OutputKind::ptx};
  last.language = Language::ptx;
  last.target = request.target;
  last.names.source = request.names.source + ".ptx";
  last.names.workingDirectory = request.names.workingDirectory;
  last.names.temporaryDirectory = request.names.temporaryDirectory;
  last.options = linkOptions(request.options);
  last.outputs = {OutputKind::cubin};
  return stages;
}

}  // namespace kiln::nvrtc
