#include "client/cli/compile_request.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "client/host_target.h"

namespace kiln::cli {
namespace {

Language languageOf(const std::string& path) {
  auto extension = std::filesystem::path(path).extension().string();
  if (extension == ".ltoir") return Language::ptx;
  if (extension == ".ll" || extension == ".bc") return Language::llvmIr;
  return extension.empty() ? Language::cuda : parseLanguage(extension.substr(1)).value_or(Language::cuda);
}

// What -o is to hold: what its extension says, else what the target usually yields.
OutputKind kindOf(const std::string& path, const Target& target) {
  auto extension = std::filesystem::path(path).extension().string();
  if (extension.empty()) return usualOutput(target);
  return parseOutputKind(extension.substr(1)).value_or(usualOutput(target));
}

std::expected<std::vector<WrittenOutput>, Failure> outputPaths(const CompileArguments& arguments,
                                                               const Target& target) {
  std::vector<WrittenOutput> outputs;
  auto add = [&](OutputKind kind, const std::string& path) {
    bool isNew = std::none_of(outputs.begin(), outputs.end(),
                              [&](const WrittenOutput& other) { return other.kind == kind; });
    outputs.push_back({kind, path});
    return isNew;
  };
  bool allNew =
      arguments.outputPath.empty() || add(kindOf(arguments.outputPath, target), arguments.outputPath);
  for (const auto& output : arguments.outputs) allNew = add(output.kind, output.path) && allNew;
  if (allNew) return outputs;
  return std::unexpected(
      Failure{FailureKind::invalidRequest,
              "one kind of output is given two paths by -o and --output; give each kind one"});
}

std::vector<OutputKind> wantedOutputs(const std::vector<WrittenOutput>& outputs, const Target& target) {
  std::vector<OutputKind> kinds;
  for (const auto& output : outputs) kinds.push_back(output.kind);
  if (kinds.empty()) kinds.push_back(usualOutput(target));
  std::sort(kinds.begin(), kinds.end());
  return kinds;
}

std::vector<std::string> optionsOf(const CompileArguments& arguments) {
  std::vector<std::string> options;
  for (const auto& definition : arguments.definitions) options.push_back("-D" + definition);
  options.insert(options.end(), arguments.options.begin(), arguments.options.end());
  return options;
}

std::expected<Names, FileProblem> namesOf(const CompileArguments& arguments) {
  std::error_code error;
  Names names;
  names.workingDirectory = std::filesystem::current_path(error).string();
  if (error) return std::unexpected(FileProblem{"cannot tell the current directory: " + error.message()});
  names.source = !arguments.name.empty() ? arguments.name : arguments.file == "-" ? "stdin" : arguments.file;
  names.includeDirectories = arguments.includeDirectories;
  names.inputs = arguments.inputs;
  return names;
}

}  // namespace

std::expected<PreparedRequest, RequestProblem> prepareRequest(const CompileArguments& arguments) {
  PreparedRequest prepared;
  auto& request = prepared.request;
  request.language = arguments.language.value_or(languageOf(arguments.file));

  auto target = client::parseOwnTarget(arguments.target);
  if (!target) return std::unexpected(target.error());
  request.target = *target;
  if (!arguments.virtualArchitecture.empty()) {
    auto architecture = parseTarget(arguments.virtualArchitecture);
    if (!architecture) return std::unexpected(architecture.error());
    request.virtualArchitecture = std::move(*architecture);
  }

  auto outputs = outputPaths(arguments, *target);
  if (!outputs) return std::unexpected(outputs.error());
  prepared.outputs = *outputs;
  request.outputs = wantedOutputs(*outputs, *target);

  auto source = readFile(arguments.file);
  if (!source) return std::unexpected(source.error());
  request.source = std::move(*source);

  auto names = namesOf(arguments);
  if (!names) return std::unexpected(names.error());
  request.names = std::move(*names);

  for (const auto& path : arguments.inputs) {
    auto content = readFile(path);
    if (!content) return std::unexpected(content.error());
    request.inputs.push_back(std::move(*content));
  }
  for (const auto& header : arguments.headers) {
    auto content = readFile(header.path);
    if (!content) return std::unexpected(content.error());
    request.headers.push_back({header.name, std::move(*content)});
  }
  request.options = optionsOf(arguments);
  request.nameExpressions = arguments.nameExpressions;
  return prepared;
}

}  // namespace kiln::cli
