#include "frontends/mlir/compiler.h"

#include <string>
#include <utility>

#include "frontends/llvm/device_libraries.h"
#include "frontends/llvm/generation.h"
#include "frontends/llvm/machine.h"
#include "frontends/llvm/module.h"
#include "frontends/mlir/lowering.h"
#include "frontends/mlir/options.h"

namespace kiln::mlirir {
namespace {

class MlirCompiler final : public Compiler {
 public:
  explicit MlirCompiler(llvmir::DeviceLibraries libraries) : libraries_(std::move(libraries)) {}

  [[nodiscard]] std::string version() const override { return llvmir::llvmVersion(); }
  [[nodiscard]] std::expected<std::vector<std::string>, Failure> targets() const override {
    return llvmir::allTargets();
  }
  std::expected<Artifact, Failure> compile(const Request& request) override;
  std::expected<void, Failure> warm() override;

 private:
  std::expected<Artifact, Failure> run(const Request& request);

  const Environment environment_;
  llvmir::DeviceLibraries libraries_;
};

std::expected<Artifact, Failure> MlirCompiler::run(const Request& request) {
  Lowering lowering(environment_, request);
  auto context = std::make_unique<llvm::LLVMContext>();
  auto module = lowering.run(*context);
  if (!module) return std::unexpected(std::move(module.error()));
  auto compilation = llvmir::Compilation::take(std::move(context), std::move(*module), request);
  if (!compilation) return std::unexpected(std::move(compilation.error()));
  auto artifact = llvmir::generate(*compilation, request, libraries_);
  auto& log = artifact ? artifact->log : artifact.error().log;
  log.insert(0, lowering.log());
  return artifact;
}

std::expected<Artifact, Failure> MlirCompiler::compile(const Request& request) {
  if (auto checked = checkOptions(request); !checked) return std::unexpected(std::move(checked.error()));
  return llvmir::guarded(request, [&] { return run(request); });
}

std::expected<void, Failure> MlirCompiler::warm() {
  Request request;
  request.language = Language::mlir;
  request.target = {Target::Kind::nvidiaReal, "sm_90"};
  request.names.source = "kiln_warm_up.mlir";
  request.source =
      "func.func @double(%data: memref<256xf32>) {\n"
      "  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = [\"parallel\"]}\n"
      "      outs(%data : memref<256xf32>) {\n"
      "  ^bb0(%before: f32):\n    %after = arith.addf %before, %before : f32\n    linalg.yield %after : f32\n"
      "  }\n  return\n}\n";
  request.outputs = {OutputKind::ptx};
  auto artifact = compile(request);
  if (artifact) return {};
  return std::unexpected(Failure{FailureKind::toolchainUnavailable,
                                 "MLIR " + version() + " does not compile a small kernel of kiln's own: " +
                                     artifact.error().message + ":\n" + artifact.error().log});
}

}  // namespace

std::expected<std::unique_ptr<Compiler>, Failure> load(const std::vector<std::filesystem::path>& files) {
  llvmir::initialiseTargets();
  auto libraries = llvmir::DeviceLibraries::read(files);
  if (!libraries) return std::unexpected(std::move(libraries.error()));
  return std::make_unique<MlirCompiler>(std::move(*libraries));
}

}  // namespace kiln::mlirir
