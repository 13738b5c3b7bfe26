#include "frontends/mlir/lowering.h"

#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/raw_ostream.h>
#include <mlir/Dialect/Func/IR/FuncOps.h>
#include <mlir/Dialect/GPU/IR/GPUDialect.h>
#include <mlir/IR/AsmState.h>
#include <mlir/IR/BuiltinTypes.h>
#include <mlir/IR/Diagnostics.h>
#include <mlir/InitAllDialects.h>
#include <mlir/InitAllExtensions.h>
#include <mlir/InitAllPasses.h>
#include <mlir/Parser/Parser.h>
#include <mlir/Pass/PassManager.h>
#include <mlir/Pass/PassRegistry.h>
#include <mlir/Target/LLVMIR/Dialect/All.h>
#include <mlir/Target/LLVMIR/Export.h>
#include <mlir/Target/LLVMIR/ModuleTranslation.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <sstream>
#include <utility>

#include "frontends/mlir/options.h"
#include "frontends/mlir/passes.h"

namespace kiln::mlirir {
namespace {

Failure invalid(std::string message) { return {FailureKind::invalidRequest, std::move(message)}; }

// What `print` writes to standard output, by whatever means.
std::string printedBy(void (*print)()) {
  const int file = ::memfd_create("printed", MFD_CLOEXEC);
  const int before = ::dup(STDOUT_FILENO);
  if (file < 0 || before < 0) return {};
  ::dup2(file, STDOUT_FILENO);
  print();
  llvm::outs().flush();
  std::fflush(stdout);
  ::dup2(before, STDOUT_FILENO);
  ::close(before);
  std::string text(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
  const auto size = ::pread(file, text.data(), text.size(), 0);
  ::close(file);
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return text;
}

// The names in MLIR's own list of passes, which it gives only in print: "  --canonicalize   - Canonicalize".
std::vector<std::string> registeredPasses() {
  std::istringstream lines(printedBy(mlir::printRegisteredPasses));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    const auto start = line.find("--");
    // Options of a pass stand below it, further in.
    constexpr std::size_t kIndentOfPass = 2;
    if (start != kIndentOfPass) continue;
    names.push_back(line.substr(start + 2, line.find(' ', start) - start - 2));
  }
  std::ranges::sort(names);
  return names;
}

bool isStatic(mlir::Type type) {
  if (auto memref = llvm::dyn_cast<mlir::MemRefType>(type)) {
    llvm::SmallVector<std::int64_t> strides;
    std::int64_t offset = 0;
    return memref.hasStaticShape() && mlir::succeeded(memref.getStridesAndOffset(strides, offset)) &&
           !mlir::ShapedType::isDynamic(offset) && llvm::none_of(strides, mlir::ShapedType::isDynamic);
  }
  auto shaped = llvm::dyn_cast<mlir::ShapedType>(type);
  return !shaped || (shaped.hasRank() && shaped.hasStaticShape());
}

// Whether every memref that a function takes is of known shape and layout.
bool isStatic(mlir::ModuleOp module) {
  bool all = true;
  module.walk([&](mlir::FunctionOpInterface function) {
    for (auto type : function.getArgumentTypes()) all = all && isStatic(type);
  });
  return all;
}

// Keeps what LLVM says.
class KeptDiagnostics final : public llvm::DiagnosticHandler {
 public:
  explicit KeptDiagnostics(std::string& text) : text_(text) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    llvm::raw_string_ostream stream(text_);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info.print(printer);
    stream << '\n';
    return true;
  }

 private:
  std::string& text_;
};

// Links `part` into `whole`; what LLVM says where it cannot, for which it would end the process otherwise.
std::expected<void, std::string> link(llvm::Module& whole, std::unique_ptr<llvm::Module> part) {
  std::string problem;
  auto& context = whole.getContext();
  auto before = context.getDiagnosticHandler();
  context.setDiagnosticHandler(std::make_unique<KeptDiagnostics>(problem));
  const bool hasFailed = llvm::Linker::linkModules(whole, std::move(part));
  context.setDiagnosticHandler(std::move(before));
  if (hasFailed) return std::unexpected(std::move(problem));
  return {};
}

// A pipeline is anchored on the module; one that is not is taken to be within it.
std::string anchored(std::string_view pipeline) {
  if (pipeline.starts_with("builtin.module(")) return std::string(pipeline);
  return "builtin.module(" + std::string(pipeline) + ")";
}

}  // namespace

Environment::Environment() {
  mlir::registerAllDialects(dialects_);
  mlir::registerAllExtensions(dialects_);
  mlir::registerAllToLLVMIRTranslations(dialects_);
  mlir::registerAllPasses();
  registerPasses();
  passes_ = registeredPasses();
}

std::string defaultPipeline(const Target& target, bool isStatic) {
  const std::string bare = std::string("use-bare-ptr-memref-call-conv=") + (isStatic ? "1" : "0");
  const std::string buffers =
      "kiln-keep-arguments,one-shot-bufferize{bufferize-function-boundaries=1 "
      "function-boundary-type-conversion=identity-layout-map},buffer-results-to-out-params{"
      "modify-public-functions=1 hoist-static-allocs=1 hoist-dynamic-allocs=1},";
  if (target.kind == Target::Kind::host) {
    return "builtin.module(" + buffers +
           "func.func(kiln-generalize-copies,convert-linalg-to-loops,convert-vector-to-scf),expand-strided-"
           "metadata,lower-affine,"
           "convert-scf-to-cf,convert-vector-to-llvm,convert-math-to-llvm,convert-math-to-libm,"
           "finalize-memref-to-llvm,convert-arith-to-llvm,convert-index-to-llvm,convert-func-to-llvm{" +
           bare + "},convert-cf-to-llvm,reconcile-unrealized-casts,canonicalize,cse)";
  }
  const bool isAmd = target.kind == Target::Kind::amd;
  const std::string processor(partsOf(target).processor);
  const auto convert = isAmd ? "convert-gpu-to-rocdl{chipset=" + processor + " runtime=HIP " + bare + "}"
                             : "convert-gpu-to-nvvm{" + bare + "}";
  return "builtin.module(" + buffers +
         "func.func(kiln-generalize-copies,convert-linalg-to-parallel-loops,fold-memref-alias-ops,kiln-map-"
         "parallel-loops,"
         "convert-parallel-loops-to-gpu,lower-affine,canonicalize,cse,kiln-sink-into-launches),"
         "gpu-kernel-outlining,kiln-name-kernels,gpu.module(convert-vector-to-scf,expand-strided-metadata,"
         "lower-affine,convert-scf-to-cf,convert-vector-to-llvm," +
         convert + ",canonicalize,cse,reconcile-unrealized-casts))";
}

struct Lowering::State {
  std::string log;
  llvm::raw_string_ostream stream{log};
  llvm::SourceMgr sources;
  mlir::MLIRContext context;
  mlir::SourceMgrDiagnosticHandler diagnostics;
  mlir::OwningOpRef<mlir::ModuleOp> module;

  explicit State(const mlir::DialectRegistry& dialects)
      : context(dialects, mlir::MLIRContext::Threading::DISABLED), diagnostics(sources, &context, stream) {}
};

Lowering::Lowering(const Environment& environment, const Request& request)
    : environment_(environment), request_(request), state_(std::make_unique<State>(environment.dialects())) {}

Lowering::~Lowering() = default;

const std::string& Lowering::log() const { return state_->log; }

Failure Lowering::failure(std::string_view what) const {
  return {FailureKind::compileError,
          "compiling '" + request_.names.source + "': it " + std::string(what) + "; its log shows why",
          state_->log};
}

std::expected<void, Failure> Lowering::read() {
  state_->sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBuffer(request_.source, request_.names.source),
                                     llvm::SMLoc());
  state_->module = mlir::parseSourceFile<mlir::ModuleOp>(state_->sources, &state_->context);
  if (state_->module) return {};
  auto unreadable = failure("is no MLIR that MLIR reads");
  // Of an operation or a type of a dialect that it does not know MLIR speaks in several ways.
  if (unreadable.log.find("unregistered dialect") != std::string::npos ||
      unreadable.log.find("not found for custom op") != std::string::npos) {
    std::string known;
    for (auto dialect : state_->context.getAvailableDialects()) {
      known += (known.empty() ? "" : ", ") + dialect.str();
    }
    unreadable.message += "; the dialects that there are: " + known;
  }
  return std::unexpected(std::move(unreadable));
}

std::expected<void, Failure> Lowering::lower() {
  const auto given = pipelineIn(request_.options);
  const auto pipeline =
      given ? anchored(*given) : defaultPipeline(request_.target, isStatic(*state_->module));
  mlir::PassManager passes(&state_->context);
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  constexpr std::string_view kAnchor = "builtin.module(";
  const auto within = std::string_view(pipeline).substr(kAnchor.size(), pipeline.size() - kAnchor.size() - 1);
  if (!pipeline.ends_with(')') || mlir::failed(mlir::parsePassPipeline(within, passes, stream))) {
    std::string known;
    for (const auto& pass : environment_.passes()) known += (known.empty() ? "" : ", ") + pass;
    return std::unexpected(invalid("the pipeline '" + pipeline + "' cannot be used: " + problem +
                                   "; the passes that there are: " + known));
  }
  if (mlir::succeeded(passes.run(*state_->module))) return {};
  return std::unexpected(failure(given ? "does not pass its pipeline"
                                       : "does not pass the default pipeline for " + request_.target.name));
}

std::expected<std::unique_ptr<llvm::Module>, Failure> Lowering::translate(llvm::LLVMContext& context) {
  constexpr const char* kName = "kernels";
  const auto untranslatable = [&] {
    return std::unexpected(failure("has operations left that are not LLVM's"));
  };
  std::unique_ptr<llvm::Module> whole;
  const auto functions = state_->module->getOps<mlir::func::FuncOp>();
  const bool isLaunched = !state_->module->getOps<mlir::gpu::GPUModuleOp>().empty();
  if (request_.target.kind != Target::Kind::host && !isLaunched && !functions.empty()) {
    return std::unexpected(
        failure("holds no kernel: its pipeline left no gpu.module, and its functions run on the host. The "
                "default one "
                "makes kernels of linalg operations, but for reductions, and of scf.parallel"));
  }
  if (request_.target.kind != Target::Kind::host) {
    for (auto kernels : state_->module->getOps<mlir::gpu::GPUModuleOp>()) {
      auto part = mlir::translateModuleToLLVMIR(kernels, context, kName);
      if (part == nullptr) return untranslatable();
      part->setDataLayout("");  // MLIR's own idea of the target's, which LLVM's need not equal
      if (whole == nullptr) {
        whole = std::move(part);
      } else if (auto linked = link(*whole, std::move(part)); !linked) {
        state_->log += "error: " + linked.error();
        return std::unexpected(failure("has gpu.modules that cannot be linked into one"));
      }
    }
  }
  if (whole == nullptr) whole = mlir::translateModuleToLLVMIR(*state_->module, context, kName);
  if (whole == nullptr) return untranslatable();
  return whole;
}

std::expected<std::unique_ptr<llvm::Module>, Failure> Lowering::run(llvm::LLVMContext& context) {
  if (auto done = read(); !done) return std::unexpected(std::move(done.error()));
  if (auto lowered = lower(); !lowered) return std::unexpected(std::move(lowered.error()));
  return translate(context);
}

}  // namespace kiln::mlirir
