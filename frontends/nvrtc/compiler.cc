#include "frontends/nvrtc/compiler.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "frontends/c_strings.h"
#include "frontends/nvidia_log.h"
#include "frontends/nvrtc/library.h"
#include "frontends/nvrtc/options.h"
#include "frontends/nvrtc/targets.h"
#include "frontends/rtc/failures.h"
#include "frontends/rtc/program.h"

namespace kiln::nvrtc {
namespace {

constexpr Version kOwnCacheSince = {12, 9};

bool wants(const Request& request, OutputKind kind) {
  return std::find(request.outputs.begin(), request.outputs.end(), kind) != request.outputs.end();
}

// NVRTC calls it an error of the source where a part of it could not get memory.
Failure compileFailure(const rtc::Api& api, Result result, const std::string& source, std::string log) {
  if (result == Result::compilation && logSaysOutOfMemory(log)) result = Result::outOfMemory;
  return rtc::compileFailure(api, result, source, std::move(log));
}

Request warmUpRequest(const std::string& target) {
  Request request;
  request.target = {Target::Kind::nvidiaReal, target};
  request.names.source = "kiln_warm_up.cu";
  request.names.workingDirectory = "/";
  request.source =
      "template <typename T> __global__ void scale(T* data, T by) { data[threadIdx.x] *= by; }\n"
      "__global__ void run(float* data) { data[threadIdx.x] += sinf(data[0]) / 3; }\n";
  request.nameExpressions = {"scale<float>"};
  request.outputs = {OutputKind::cubin};
  return request;
}

class NvrtcCompiler : public Compiler {
 public:
  NvrtcCompiler(Library library, std::vector<std::string> targets)
      : library_(library), targets_(std::move(targets)) {}

  [[nodiscard]] std::string version() const override {
    return std::to_string(library_.version().major) + "." + std::to_string(library_.version().minor);
  }
  [[nodiscard]] std::expected<std::vector<std::string>, Failure> targets() const override { return targets_; }
  std::expected<Artifact, Failure> compile(const Request& request) override;
  std::expected<void, Failure> warm() override;

 private:
  enum class Pass { plain, lto };

  [[nodiscard]] std::vector<std::string> arguments(const Request& request, Pass pass) const;
  std::expected<void, Failure> check(const Request& request) const;
  std::expected<Output, Failure> outputOf(rtc::Program& program, OutputKind kind) const;
  std::expected<Artifact, Failure> run(const Request& request, Pass pass);

  Library library_;
  std::vector<std::string> targets_;
};

std::vector<std::string> NvrtcCompiler::arguments(const Request& request, Pass pass) const {
  // kiln's own come first: an option that lacks its value cannot take one of them for it.
  std::vector<std::string> arguments = {"-arch=" + request.target.name};
  if (library_.version() >= kOwnCacheSince) arguments.emplace_back("--no-cache");
  if (pass == Pass::lto && !optionsAskForLto(request.options)) arguments.emplace_back("-dlto");
  // The long form takes any directory, also one that begins with a blank or '='.
  for (const auto& directory : request.names.includeDirectories)
    arguments.push_back("--include-path=" + directory);
  arguments.insert(arguments.end(), request.options.begin(), request.options.end());
  return arguments;
}

std::expected<void, Failure> NvrtcCompiler::check(const Request& request) const {
  if (auto checked = checkCStrings(request, "NVRTC"); !checked) return checked;
  if (auto checked = checkTarget(request.target, targets_, "NVRTC " + version()); !checked) return checked;
  if (auto checked = checkOptions(request); !checked) return checked;
  if (wants(request, OutputKind::ltoir) && library_->getLTOIR == nullptr) {
    return std::unexpected(
        Failure{FailureKind::invalidRequest, "NVRTC " + version() +
                                                 " yields no LTO IR; choose NVRTC 12.0 or later, or "
                                                 "another output"});
  }
  return {};
}

std::expected<Output, Failure> NvrtcCompiler::outputOf(rtc::Program& program, OutputKind kind) const {
  std::expected<std::string, Failure> content;
  switch (kind) {
    case OutputKind::cubin:
      content = program.bytes(library_->getCUBINSize, library_->getCUBIN, "GetCUBIN");
      break;
    case OutputKind::ptx:
      content = program.text(library_->getPTXSize, library_->getPTX, "GetPTX");
      break;
    case OutputKind::ltoir:
      content = program.bytes(library_->getLTOIRSize, library_->getLTOIR, "GetLTOIR");
      break;
    case OutputKind::hsaco:
    case OutputKind::bitcode:
    case OutputKind::sharedObject:
      content = std::unexpected(Failure{FailureKind::internal, "NVRTC has no " + std::string(name(kind))});
      break;
  }
  if (!content) return std::unexpected(std::move(content.error()));
  return Output{kind, std::move(*content), {}};
}

// One compile with the outputs of its pass: with -dlto NVRTC yields LTO IR and neither PTX nor a cubin.
std::expected<Artifact, Failure> NvrtcCompiler::run(const Request& request, Pass pass) {
  auto program = rtc::Program::create(library_.api(), request);
  if (!program) return std::unexpected(std::move(program.error()));
  auto result = program->compile(arguments(request, pass));
  auto log = program->log();
  if (result != Result::success) {
    return std::unexpected(
        compileFailure(library_.api(), result, request.names.source, log ? std::move(*log) : std::string()));
  }
  if (!log) return std::unexpected(std::move(log.error()));
  Artifact artifact;
  artifact.log = std::move(*log);
  for (auto kind : request.outputs) {
    if ((kind == OutputKind::ltoir) != (pass == Pass::lto)) continue;
    auto output = outputOf(*program, kind);
    if (!output) return std::unexpected(std::move(output.error()));
    artifact.outputs.push_back(std::move(*output));
  }
  auto names = program->loweredNames();
  if (!names) return std::unexpected(std::move(names.error()));
  artifact.loweredNames = std::move(*names);
  return artifact;
}

std::expected<Artifact, Failure> NvrtcCompiler::compile(const Request& request) {
  if (auto checked = check(request); !checked) return std::unexpected(std::move(checked.error()));
  bool ltoAlone = request.outputs.size() == 1 && wants(request, OutputKind::ltoir);
  auto artifact = run(request, ltoAlone ? Pass::lto : Pass::plain);
  if (!artifact || ltoAlone || !wants(request, OutputKind::ltoir)) return artifact;
  // Both kinds of outputs: the log and the names are the first compile's, as an asker without LTO IR would
  // see them.
  auto lto = run(request, Pass::lto);
  if (!lto) return lto;
  for (auto& output : lto->outputs) artifact->outputs.push_back(std::move(output));
  std::sort(artifact->outputs.begin(), artifact->outputs.end(),
            [](const Output& a, const Output& b) { return a.kind < b.kind; });
  return artifact;
}

std::expected<void, Failure> NvrtcCompiler::warm() {
  auto artifact = compile(warmUpRequest(targets_.front()));
  if (artifact) return {};
  auto problem = artifact.error().message;
  if (!artifact.error().log.empty()) problem += ":\n" + artifact.error().log;
  return std::unexpected(
      Failure{FailureKind::toolchainUnavailable,
              "NVRTC " + version() + " does not compile a small kernel of kiln's own: " + problem});
}

}  // namespace

std::expected<std::unique_ptr<Compiler>, Failure> load(const std::filesystem::path& path) {
  auto library = Library::open(path);
  if (!library) return std::unexpected(std::move(library.error()));
  auto targets = targetsOf(*library);
  if (!targets) return std::unexpected(std::move(targets.error()));
  return std::make_unique<NvrtcCompiler>(*library, std::move(*targets));
}

}  // namespace kiln::nvrtc
