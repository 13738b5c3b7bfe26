#include "frontends/ir_options.h"

#include <algorithm>
#include <string>
#include <utility>

namespace kiln {
namespace {

bool isLevel(std::string_view option) {
  return option.size() == 3 && option.starts_with("-O") && option[2] >= '0' && option[2] <= '3';
}

std::unexpected<Failure> invalid(std::string message) {
  return std::unexpected(Failure{FailureKind::invalidRequest, std::move(message)});
}

std::expected<void, Failure> checkFields(const Request& request, const IrOptions& options) {
  const auto lacks = [&](const std::string& what) {
    return invalid(std::string(options.language) + " has no " + what + "; leave them out");
  };
  if (!request.headers.empty()) return lacks("headers");
  if (!request.names.includeDirectories.empty()) return lacks("include directories");
  if (!request.nameExpressions.empty()) {
    return lacks("name expressions: its kernels have their final names already");
  }
  return {};
}

// The outputs that a target of each kind has, for a person.
std::string_view outputsFor(Target::Kind kind) {
  switch (kind) {
    case Target::Kind::amd:
      return "hsaco";
    case Target::Kind::host:
      return "shared-object";
    default:
      return "cubin, or ptx";
  }
}

bool yields(const Target& target, OutputKind output) {
  return output == usualOutput(target) ||
         (output == OutputKind::ptx && target.kind == Target::Kind::nvidiaReal);
}

// PTX and a cubin are stages of each other, and one request makes one of them.
std::expected<void, Failure> checkOutputs(const Request& request, const IrOptions& options) {
  for (auto output : request.outputs) {
    if (yields(request.target, output)) continue;
    return invalid("LLVM makes no " + std::string(name(output)) + " for the target " + request.target.name +
                   "; ask for the output " + std::string(outputsFor(request.target.kind)));
  }
  if (request.outputs.size() == 1) return {};
  return invalid(std::string(options.language) +
                 " is compiled to a cubin or to PTX; ask for each by a request of its own");
}

// The first pass of a pipeline that is refused; empty if there is none.
std::string_view refusedPass(std::string_view pipeline, const IrOptions& options) {
  constexpr std::string_view kOfNames = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  while (!pipeline.empty()) {
    const auto end = std::min(pipeline.find_first_not_of(kOfNames), pipeline.size());
    const auto pass = pipeline.substr(0, end);
    if (std::ranges::any_of(options.refusedPasses, [&](auto prefix) { return pass.starts_with(prefix); })) {
      return pass;
    }
    pipeline.remove_prefix(std::min(end + 1, pipeline.size()));
  }
  return {};
}

}  // namespace

std::expected<void, Failure> checkIrRequest(const Request& request, const IrOptions& options) {
  const auto isPipeline = [&](std::string_view option) { return option.starts_with(options.pipeline); };
  for (const auto& option : request.options) {
    if (isLevel(option) || isPipeline(option)) continue;
    return invalid("the option '" + option + "' is none of " + std::string(options.language) +
                   "'s, which are -O0 to -O3 and " + std::string(options.pipeline) + "...; leave it out");
  }
  if (std::ranges::count_if(request.options, isLevel) > 1 ||
      std::ranges::count_if(request.options, isPipeline) > 1) {
    return invalid("a level or a pipeline is given twice; give each once");
  }
  const auto pass = refusedPass(irPipelineIn(request.options, options).value_or(""), options);
  if (!pass.empty()) {
    return invalid("the pass '" + std::string(pass) + "' of " + std::string(options.pipeline) +
                   " prints or writes what it works on, or runs a program, which is no output of a compile; "
                   "leave it out");
  }
  if (auto checked = checkFields(request, options); !checked) return checked;
  return checkOutputs(request, options);
}

std::optional<Stages> irStagesOf(const Request& request) {
  if (request.outputs != std::vector<OutputKind>{OutputKind::cubin}) return std::nullopt;
  Stages stages{request, {}, false};
  auto& first = stages.first;
  auto& last = stages.last;
  first.outputs = {OutputKind::ptx};
  last.language = Language::ptx;
  last.target = request.target;
  last.names.source = request.names.source + ".ptx";
  last.names.workingDirectory = request.names.workingDirectory;
  last.names.temporaryDirectory = request.names.temporaryDirectory;
  last.outputs = {OutputKind::cubin};
  return stages;
}

char irLevelIn(const std::vector<std::string>& options) {
  const auto found = std::ranges::find_if(options, isLevel);
  return found == options.end() ? '2' : found->back();
}

std::optional<std::string_view> irPipelineIn(const std::vector<std::string>& options,
                                             const IrOptions& ofLanguage) {
  const auto found = std::ranges::find_if(
      options, [&](const std::string& option) { return option.starts_with(ofLanguage.pipeline); });
  if (found == options.end()) return std::nullopt;
  return std::string_view(*found).substr(ofLanguage.pipeline.size());
}

}  // namespace kiln
