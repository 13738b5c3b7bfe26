#include "frontends/llvm/compiler.h"

#include <string>
#include <utility>
#include <vector>

#include "frontends/llvm/device_libraries.h"
#include "frontends/llvm/generation.h"
#include "frontends/llvm/machine.h"
#include "frontends/llvm/module.h"
#include "frontends/llvm/options.h"

namespace kiln::llvmir {
namespace {

class LlvmCompiler final : public Compiler {
 public:
  explicit LlvmCompiler(DeviceLibraries libraries) : libraries_(std::move(libraries)) {}

  [[nodiscard]] std::string version() const override { return llvmVersion(); }
  [[nodiscard]] std::expected<std::vector<std::string>, Failure> targets() const override {
    return allTargets();
  }
  std::expected<Artifact, Failure> compile(const Request& request) override;
  std::expected<void, Failure> warm() override;

 private:
  std::expected<Artifact, Failure> run(const Request& request);

  DeviceLibraries libraries_;
};

std::expected<Artifact, Failure> LlvmCompiler::run(const Request& request) {
  auto compilation = Compilation::read(request);
  if (!compilation) return std::unexpected(std::move(compilation.error()));
  return generate(*compilation, request, libraries_);
}

std::expected<Artifact, Failure> LlvmCompiler::compile(const Request& request) {
  if (auto checked = checkOptions(request); !checked) return std::unexpected(std::move(checked.error()));
  return guarded(request, [&] { return run(request); });
}

std::expected<void, Failure> LlvmCompiler::warm() {
  Request request;
  request.language = Language::llvmIr;
  request.target = {Target::Kind::nvidiaReal, "sm_90"};
  request.names.source = "kiln_warm_up.ll";
  request.source =
      "define ptx_kernel void @scale(ptr addrspace(1) %data) {\n  %before = load float, ptr addrspace(1) "
      "%data\n"
      "  %after = fmul float %before, 2.0\n  store float %after, ptr addrspace(1) %data\n  ret void\n}\n";
  request.outputs = {OutputKind::ptx};
  auto artifact = compile(request);
  if (artifact) return {};
  return std::unexpected(Failure{FailureKind::toolchainUnavailable,
                                 "LLVM " + version() + " does not compile a small kernel of kiln's own: " +
                                     artifact.error().message + ":\n" + artifact.error().log});
}

}  // namespace

std::expected<std::unique_ptr<Compiler>, Failure> load(const std::vector<std::filesystem::path>& files) {
  initialiseTargets();
  auto libraries = DeviceLibraries::read(files);
  if (!libraries) return std::unexpected(std::move(libraries.error()));
  return std::make_unique<LlvmCompiler>(std::move(*libraries));
}

}  // namespace kiln::llvmir
