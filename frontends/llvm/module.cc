#include "frontends/llvm/module.h"

#include <llvm/IR/AutoUpgrade.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/IRReader/IRReader.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/raw_ostream.h>

#include <optional>
#include <utility>

#include "frontends/ir_options.h"
#include "frontends/llvm/machine.h"
#include "frontends/llvm/options.h"

namespace kiln::llvmir {
namespace {

// Writes what LLVM says of the module into the log, as its tools print it.
class Diagnostics final : public llvm::DiagnosticHandler {
 public:
  Diagnostics(std::string& log, bool& hasFailed) : log_(log), hasFailed_(hasFailed) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    hasFailed_ = hasFailed_ || info.getSeverity() == llvm::DS_Error;
    llvm::raw_string_ostream stream(log_);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    stream << llvm::LLVMContext::getDiagnosticMessagePrefix(info.getSeverity()) << ": ";
    info.print(printer);
    stream << '\n';
    return true;
  }

 private:
  std::string& log_;
  bool& hasFailed_;
};

Failure invalid(std::string message) { return {FailureKind::invalidRequest, std::move(message)}; }

// The triple's parts that decide what the code is: two may differ in what the vendor is called.
bool isOneMachine(const llvm::Triple& a, const llvm::Triple& b) {
  return a.getArch() == b.getArch() && a.getOS() == b.getOS();
}

}  // namespace

llvm::CodeGenOptLevel codeGenLevel(char level) { return static_cast<llvm::CodeGenOptLevel>(level - '0'); }

Compilation::Compilation(const Request& request, std::unique_ptr<llvm::LLVMContext> context)
    : state_(std::make_unique<State>()) {
  state_->name = request.names.source;
  state_->target = request.target;
  state_->context = std::move(context);
  state_->context->setDiagnosticHandler(std::make_unique<Diagnostics>(state_->log, state_->hasFailed),
                                        /*RespectFilters=*/true);
}

Compilation::Compilation(Compilation&&) noexcept = default;
Compilation::~Compilation() = default;

std::expected<Compilation, Failure> Compilation::read(const Request& request) {
  Compilation compilation(request, std::make_unique<llvm::LLVMContext>());
  auto& state = *compilation.state_;
  llvm::SMDiagnostic error;
  // What a module is called that does not say what it was made of: the file's own name reaches no output.
  constexpr const char* kNameless = "kernels";
  const llvm::MemoryBufferRef buffer(request.source, kNameless);
  state.module = llvm::parseIR(buffer, error, *state.context);
  if (state.module == nullptr) {
    llvm::raw_string_ostream stream(state.log);
    const llvm::SMDiagnostic named(
        *error.getSourceMgr(), error.getLoc(), request.names.source, error.getLineNo(), error.getColumnNo(),
        error.getKind(), error.getMessage(), error.getLineContents(), error.getRanges(), error.getFixIts());
    named.print(nullptr, stream, false);
    return std::unexpected(compilation.failure("is no LLVM IR that LLVM reads"));
  }
  if (auto fits = compilation.fitToTarget(request); !fits) return std::unexpected(std::move(fits.error()));
  return compilation;
}

std::expected<Compilation, Failure> Compilation::take(std::unique_ptr<llvm::LLVMContext> context,
                                                      std::unique_ptr<llvm::Module> module,
                                                      const Request& request) {
  Compilation compilation(request, std::move(context));
  compilation.state_->module = std::move(module);
  if (auto fits = compilation.fitToTarget(request); !fits) return std::unexpected(std::move(fits.error()));
  return compilation;
}

std::expected<void, Failure> Compilation::checkTriple(const llvm::Triple& triple) const {
  const auto& given = state_->module->getTargetTriple();
  if (given.str().empty() || isOneMachine(given, triple)) return {};
  return std::unexpected(invalid("'" + state_->name + "' is for " + given.str() + ", and the target " +
                                 state_->target.name + " is one of " + triple.str() +
                                 "; ask for a target of its own, or generate it for that"));
}

std::expected<void, Failure> Compilation::checkLayout(const llvm::DataLayout& layout) const {
  const auto& module = *state_->module;
  if (module.getDataLayoutStr().empty() || module.getDataLayout() == layout) return {};
  // A text that an earlier LLVM wrote has the layout of then; that of bitcode is brought up to date by
  // reading it.
  const auto& triple = state_->machine->getTargetTriple().str();
  if (llvm::DataLayout(llvm::UpgradeDataLayoutString(module.getDataLayoutStr(), triple)) == layout) return {};
  return std::unexpected(invalid("'" + state_->name + "' has the data layout \"" + module.getDataLayoutStr() +
                                 "\", and that of the target " + state_->target.name + " is \"" +
                                 layout.getStringRepresentation() +
                                 "\"; generate it for that, or leave it out"));
}

std::expected<void, Failure> Compilation::fitFunctions() {
  const auto kind = state_->target.kind;
  if (kind != Target::Kind::amd && kind != Target::Kind::host) return {};
  const auto processor = std::string(partsOf(state_->target).processor);
  for (auto& function : *state_->module) {
    if (kind == Target::Kind::host) {
      for (const char* name : {"target-cpu", "target-features", "tune-cpu"}) function.removeFnAttr(name);
      continue;
    }
    const auto own = function.getFnAttribute("target-cpu").getValueAsString();
    if (own.empty() || own == processor) continue;
    return std::unexpected(invalid("the function '" + function.getName().str() + "' of '" + state_->name +
                                   "' is for " + own.str() + ", and the target is " + state_->target.name +
                                   "; ask for " + own.str() + ", or generate it for " + processor));
  }
  return {};
}

std::expected<void, Failure> Compilation::fitToTarget(const Request& request) {
  auto& state = *state_;
  const llvm::Triple triple(machineOf(state.target).triple);
  if (auto checked = checkTriple(triple); !checked) return checked;
  auto machine = targetMachine(state.target, codeGenLevel(irLevelIn(request.options)));
  if (!machine) return std::unexpected(std::move(machine.error()));
  state.machine = std::move(*machine);
  const auto layout = state.machine->createDataLayout();
  if (auto checked = checkLayout(layout); !checked) return checked;
  if (auto fits = fitFunctions(); !fits) return fits;
  state.module->setTargetTriple(triple);
  state.module->setDataLayout(layout);
  constexpr const char* kCodeObject = "amdhsa_code_object_version";
  if (state.target.kind == Target::Kind::amd && state.module->getModuleFlag(kCodeObject) == nullptr) {
    constexpr std::uint32_t kVersion5 = 500;  // that every ROCm since 5.6 loads; LLVM's own is 6
    state.module->addModuleFlag(llvm::Module::Error, kCodeObject, kVersion5);
  }
  llvm::raw_string_ostream stream(state.log);
  if (llvm::verifyModule(*state.module, &stream)) return std::unexpected(failure("is no valid module"));
  return {};
}

std::expected<void, Failure> Compilation::link(const DeviceLibraries& libraries) {
  auto linked = libraries.link(*state_->module, state_->target, state_->name);
  if (!linked && linked.error().log.empty()) linked.error().log = state_->log;
  return linked;
}

std::expected<void, Failure> Compilation::optimise(const std::vector<std::string>& options) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(state_->machine.get());
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);

  llvm::ModulePassManager passes;
  // By its name the default pipeline has what opt tunes by the level: whether loops and statements are
  // vectorised.
  const auto usual = std::string("default<O") + irLevelIn(options) + ">";
  const auto pipeline = pipelineIn(options).value_or(usual);
  if (auto error = builder.parsePassPipeline(passes, pipeline)) {
    return std::unexpected(invalid("the pipeline '" + std::string(pipeline) +
                                   "' cannot be used: " + llvm::toString(std::move(error))));
  }
  passes.run(*state_->module, modules);
  if (state_->hasFailed) return std::unexpected(failure("cannot be optimised"));
  llvm::raw_string_ostream stream(state_->log);
  if (llvm::verifyModule(*state_->module, &stream)) {
    return std::unexpected(failure("is no valid module behind its pipeline"));
  }
  return {};
}

std::expected<std::string, Failure> Compilation::emit(llvm::CodeGenFileType type) {
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (state_->machine->addPassesToEmitFile(passes, stream, nullptr, type)) {
    return std::unexpected(failure("cannot be compiled to what was asked for"));
  }
  passes.run(*state_->module);
  if (state_->hasFailed) return std::unexpected(failure("cannot be compiled for the target"));
  return std::string(bytes);
}

const std::string& Compilation::log() const { return state_->log; }

Failure Compilation::failure(std::string_view what) const {
  return {FailureKind::compileError,
          "compiling '" + state_->name + "': it " + std::string(what) + "; its log shows why", state_->log};
}

}  // namespace kiln::llvmir
