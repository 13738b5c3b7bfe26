#include "frontends/nvrtc/compiler.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "frontends/nvrtc/library.h"
#include "frontends/nvrtc/options.h"
#include "frontends/nvrtc/program.h"
#include "frontends/nvrtc/targets.h"

namespace kiln::nvrtc {
namespace {

constexpr Version kOwnCacheSince = {12, 9};

bool wants(const Request& request, OutputKind kind) {
  return std::find(request.outputs.begin(), request.outputs.end(), kind) != request.outputs.end();
}

// NVRTC takes C strings: it would silently compile what stands before a NUL.
std::expected<void, Failure> checkTexts(const Request& request) {
  auto holdsNul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  auto refuse = [](const std::string& what) {
    return std::unexpected(Failure{FailureKind::invalidRequest,
                                   what + " holds a NUL character, which NVRTC cannot take; remove it"});
  };
  if (holdsNul(request.source)) return refuse("the source '" + request.names.source + "'");
  if (holdsNul(request.names.source)) return refuse("the name of the source");
  if (holdsNul(request.names.workingDirectory)) return refuse("the working directory");
  for (const auto& header : request.headers) {
    if (holdsNul(header.name) || holdsNul(header.content)) return refuse("the header '" + header.name + "'");
  }
  for (const auto& directory : request.names.includeDirectories) {
    if (holdsNul(directory)) return refuse("the include directory '" + directory + "'");
  }
  for (const auto& option : request.options) {
    if (holdsNul(option)) return refuse("the option '" + option + "'");
  }
  for (const auto& expression : request.nameExpressions) {
    if (holdsNul(expression)) return refuse("the name expression '" + expression + "'");
  }
  return {};
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
  [[nodiscard]] std::vector<std::string> targets() const override { return targets_; }
  std::expected<Artifact, Failure> compile(const Request& request) override;
  std::expected<void, Failure> warm() override;

 private:
  enum class Pass { plain, lto };

  [[nodiscard]] std::vector<std::string> arguments(const Request& request, Pass pass) const;
  std::expected<void, Failure> check(const Request& request) const;
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
  if (auto checked = checkTexts(request); !checked) return checked;
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

// One compile with the outputs of its pass: with -dlto NVRTC yields LTO IR and neither PTX nor a cubin.
std::expected<Artifact, Failure> NvrtcCompiler::run(const Request& request, Pass pass) {
  auto program = Program::create(library_, request);
  if (!program) return std::unexpected(std::move(program.error()));
  if (auto compiled = program->compile(arguments(request, pass)); !compiled) {
    return std::unexpected(std::move(compiled.error()));
  }
  Artifact artifact;
  for (auto kind : request.outputs) {
    if ((kind == OutputKind::ltoir) != (pass == Pass::lto)) continue;
    auto output = program->output(kind);
    if (!output) return std::unexpected(std::move(output.error()));
    artifact.outputs.push_back(std::move(*output));
  }
  auto log = program->log();
  if (!log) return std::unexpected(std::move(log.error()));
  artifact.log = std::move(*log);
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
