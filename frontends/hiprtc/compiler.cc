#include "frontends/hiprtc/compiler.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "frontends/c_strings.h"
#include "frontends/hiprtc/library.h"
#include "frontends/hiprtc/log.h"
#include "frontends/hiprtc/options.h"
#include "frontends/rtc/failures.h"
#include "frontends/rtc/program.h"

namespace kiln::hiprtc {
namespace {

bool wants(const Request& request, OutputKind kind) {
  return std::ranges::find(request.outputs, kind) != request.outputs.end();
}

Request warmUpRequest(const std::string& target) {
  Request request;
  request.language = Language::hip;
  request.target = {Target::Kind::amd, target};
  request.names.source = "kiln_warm_up.hip";
  request.names.workingDirectory = "/";
  request.source =
      "template <typename T> __global__ void scale(T* data, T by) { data[threadIdx.x] *= by; }\n"
      "__global__ void run(float* data) { data[threadIdx.x] += sinf(data[0]) / 3; }\n";
  request.nameExpressions = {"scale<float>"};
  request.outputs = {OutputKind::hsaco};
  return request;
}

class HiprtcCompiler : public Compiler {
 public:
  explicit HiprtcCompiler(Library library) : library_(std::move(library)) {}

  [[nodiscard]] std::string version() const override { return library_.version(); }
  [[nodiscard]] std::expected<std::vector<std::string>, Failure> targets() const override {
    return library_.targets();
  }
  std::expected<Artifact, Failure> compile(const Request& request) override;
  std::expected<void, Failure> warm() override;

 private:
  [[nodiscard]] std::vector<std::string> arguments(const Request& request, OutputKind output) const;
  std::expected<void, Failure> check(const Request& request) const;
  std::expected<Artifact, Failure> run(const Request& request, OutputKind output);

  Library library_;
};

std::vector<std::string> HiprtcCompiler::arguments(const Request& request, OutputKind output) const {
  // kiln's own come first: an option that lacks its value cannot take one of them for it.
  std::vector<std::string> arguments = {"--gpu-architecture=" + request.target.name};
  constexpr std::string_view kRelocatable = "-fgpu-rdc";
  if (output == OutputKind::bitcode &&
      std::ranges::find(request.options, kRelocatable) == request.options.end())
    arguments.emplace_back(kRelocatable);
  for (const auto& directory : request.names.includeDirectories) arguments.push_back("-I" + directory);
  arguments.insert(arguments.end(), request.options.begin(), request.options.end());
  return arguments;
}

std::expected<void, Failure> HiprtcCompiler::check(const Request& request) const {
  if (auto checked = checkCStrings(request, "hiprtc"); !checked) return checked;
  if (auto checked = checkTarget(request.target, library_.targets(), "hiprtc " + version()); !checked) {
    return checked;
  }
  if (auto checked = checkOptions(request); !checked) return checked;
  if (wants(request, OutputKind::bitcode) && library_->getBitcode == nullptr) {
    return std::unexpected(
        Failure{FailureKind::invalidRequest, "hiprtc " + version() +
                                                 " yields no bitcode; choose hiprtc 5.3 or later, or ask for "
                                                 "the output hsaco"});
  }
  return {};
}

// One compile: hiprtc yields either machine code or bitcode.
std::expected<Artifact, Failure> HiprtcCompiler::run(const Request& request, OutputKind output) {
  const auto& api = library_.api();
  auto program = rtc::Program::create(api, request);
  if (!program) return std::unexpected(std::move(program.error()));
  auto result = program->compile(arguments(request, output));
  auto log = program->log();
  const auto shown = withOwnNames(log ? *log : std::string(), request.names.source);
  if (result != Result::success) {
    if (result == Result::compilation && saysBadOption(shown)) result = Result::invalidOption;
    return std::unexpected(rtc::compileFailure(api, result, request.names.source, shown));
  }
  if (!log) return std::unexpected(std::move(log.error()));
  auto code = output == OutputKind::bitcode
                  ? program->bytes(library_->getBitcodeSize, library_->getBitcode, "GetBitcode")
                  : program->bytes(library_->getCodeSize, library_->getCode, "GetCode");
  if (!code) return std::unexpected(std::move(code.error()));
  auto names = program->loweredNames();
  if (!names) return std::unexpected(std::move(names.error()));
  Artifact artifact;
  artifact.outputs.push_back({output, std::move(*code), {}});
  artifact.log = shown;
  artifact.loweredNames = std::move(*names);
  return artifact;
}

// Of two outputs the log and the names are the machine code's, as an asker without bitcode would see them.
std::expected<Artifact, Failure> HiprtcCompiler::compile(const Request& request) {
  if (auto checked = check(request); !checked) return std::unexpected(std::move(checked.error()));
  auto artifact = run(request, request.outputs.front());
  if (!artifact || request.outputs.size() == 1) return artifact;
  auto bitcode = run(request, OutputKind::bitcode);
  if (!bitcode) return bitcode;
  artifact->outputs.push_back(std::move(bitcode->outputs.front()));
  return artifact;
}

std::expected<void, Failure> HiprtcCompiler::warm() {
  auto artifact = compile(warmUpRequest(library_.targets().front()));
  if (artifact) return {};
  auto problem = artifact.error().message;
  if (!artifact.error().log.empty()) problem += ":\n" + artifact.error().log;
  return std::unexpected(
      Failure{FailureKind::toolchainUnavailable,
              "hiprtc " + version() + " does not compile a small kernel of kiln's own: " + problem});
}

}  // namespace

std::expected<std::unique_ptr<Compiler>, Failure> load(const std::filesystem::path& path) {
  auto library = Library::open(path);
  if (!library) return std::unexpected(std::move(library.error()));
  return std::make_unique<HiprtcCompiler>(std::move(*library));
}

}  // namespace kiln::hiprtc
