// What examples/cold_start pays that has no kiln: the same 200 kernels, by NVRTC, LLVM, MLIR and lld in its
// own process, one after the other; the processor's are called too. No code of kiln's is in here. What a
// process can keep from one compile to the next it keeps: libraries, contexts, the processor's description.
//
// usage: cold_start_direct LIBNVRTC TARGET PIPELINE [INCLUDE_DIRECTORY...]     PIPELINE is MLIR's, for
// processors
#include <dlfcn.h>
#include <lld/Common/Driver.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IRReader/IRReader.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/SubtargetFeature.h>
#include <mlir/IR/BuiltinOps.h>
#include <mlir/IR/MLIRContext.h>
#include <mlir/InitAllDialects.h>
#include <mlir/InitAllExtensions.h>
#include <mlir/InitAllPasses.h>
#include <mlir/Parser/Parser.h>
#include <mlir/Pass/PassManager.h>
#include <mlir/Pass/PassRegistry.h>
#include <mlir/Target/LLVMIR/Dialect/All.h>
#include <mlir/Target/LLVMIR/Export.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "examples/cold_start/kernels.h"

LLD_HAS_DRIVER(elf)

namespace {

[[noreturn]] void fail(const Kernel& kernel, const std::string& what) {
  llvm::errs() << "cold_start_direct: " << nameOf(kernel) << ": " << what << "\n";
  std::exit(1);
}

// ---- for the GPU

class Nvrtc {
 public:
  Nvrtc(const char* library, const std::string& target, std::vector<std::string> includes)
      : library_(dlopen(library, RTLD_NOW | RTLD_LOCAL)), target_("-arch=" + target) {
    for (const auto& directory : includes) includes_.push_back("-I" + directory);
  }

  std::string cubinOf(const Kernel& kernel) {
    if (library_ == nullptr) fail(kernel, "there is no NVRTC");
    const char* const* none = nullptr;
    void* program = nullptr;
    call(kernel, "nvrtcCreateProgram", &program, kernel.source.c_str(), kernel.file.c_str(), 0, none, none);
    call(kernel, "nvrtcAddNameExpression", program, kernel.entry.c_str());
    // Where NVRTC has a cache of its own, it would leave nothing to compile from the second process on.
    std::vector<const char*> options = {target_.c_str(), "--no-cache"};
    if (kernel.needsCub) {
      for (const auto& include : includes_) options.push_back(include.c_str());
    }
    call(kernel, "nvrtcCompileProgram", program, static_cast<int>(options.size()), options.data());
    const char* loweredName = nullptr;
    call(kernel, "nvrtcGetLoweredName", program, kernel.entry.c_str(), &loweredName);
    std::size_t size = 0;
    call(kernel, "nvrtcGetCUBINSize", program, &size);
    std::string cubin(size, '\0');
    call(kernel, "nvrtcGetCUBIN", program, cubin.data());
    call(kernel, "nvrtcDestroyProgram", &program);
    return cubin;
  }

 private:
  template <typename... Arguments>
  void call(const Kernel& kernel, const char* name, Arguments... arguments) {
    auto* function = reinterpret_cast<int (*)(Arguments...)>(dlsym(library_, name));
    const int status = function == nullptr ? -1 : function(arguments...);
    if (status != 0) fail(kernel, std::string(name) + " gives " + std::to_string(status));
  }

  void* const library_;
  const std::string target_;
  std::vector<std::string> includes_;
};

// ---- for the processor

class Mlir {
 public:
  explicit Mlir(std::string pipeline)
      : pipeline_(std::move(pipeline)), context_(dialects(), mlir::MLIRContext::Threading::DISABLED) {
    mlir::registerAllPasses();
  }

  std::unique_ptr<llvm::Module> lowered(const Kernel& kernel, llvm::LLVMContext& context) {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(kernel.source, &context_);
    if (!module) fail(kernel, "the source is no MLIR");
    auto passes = mlir::parsePassPipeline(pipeline_);
    if (mlir::failed(passes)) fail(kernel, "there is no such pipeline");
    mlir::PassManager manager(&context_);
    static_cast<mlir::OpPassManager&>(manager) = *passes;
    if (mlir::failed(manager.run(*module))) fail(kernel, "the module does not pass its pipeline");
    return mlir::translateModuleToLLVMIR(*module, context, "kernels");
  }

 private:
  static mlir::DialectRegistry dialects() {
    mlir::DialectRegistry dialects;
    mlir::registerAllDialects(dialects);
    mlir::registerAllExtensions(dialects);
    mlir::registerAllToLLVMIRTranslations(dialects);
    return dialects;
  }

  const std::string pipeline_;
  mlir::MLIRContext context_;
};

std::unique_ptr<llvm::TargetMachine> thisMachine() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  llvm::SubtargetFeatures features;
  for (const auto& [name, isThere] : llvm::sys::getHostCPUFeatures()) features.AddFeature(name, isThere);
  const llvm::Triple triple("x86_64-unknown-linux-gnu");
  std::string problem;
  const auto* target = llvm::TargetRegistry::lookupTarget(triple, problem);
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, llvm::sys::getHostCPUName(), features.getString(), {}, llvm::Reloc::PIC_));
}

void optimise(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

class Processor {
 public:
  explicit Processor(std::string pipeline) : mlir_(std::move(pipeline)), machine_(thisMachine()) {
    std::string place = std::filesystem::temp_directory_path() / "cold_start_direct-XXXXXX";
    folder_ = mkdtemp(place.data());
  }
  ~Processor() { std::filesystem::remove_all(folder_); }
  Processor(const Processor&) = delete;
  Processor& operator=(const Processor&) = delete;

  void compileAndCall(const Kernel& kernel) {
    llvm::LLVMContext context;
    auto module =
        kernel.language == Language::mlir ? mlir_.lowered(kernel, context) : parsed(kernel, context);
    module->setTargetTriple(machine_->getTargetTriple());
    module->setDataLayout(machine_->createDataLayout());
    optimise(*module, *machine_);
    void* library = dlopen(linked(kernel, *module).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) fail(kernel, dlerror());
    void* function = dlsym(library, kernel.entry.c_str());
    if (function == nullptr || !kernel.isRight(function))
      fail(kernel, "it computes something else than C++ does");
  }

 private:
  static std::unique_ptr<llvm::Module> parsed(const Kernel& kernel, llvm::LLVMContext& context) {
    llvm::SMDiagnostic error;
    auto module = llvm::parseIR(llvm::MemoryBufferRef(kernel.source, kernel.file), error, context);
    if (module == nullptr) fail(kernel, error.getMessage().str());
    return module;
  }

  // The path of the shared object.
  std::string linked(const Kernel& kernel, llvm::Module& module) {
    const std::string object = folder_ / (kernel.entry + ".o"), output = folder_ / (kernel.entry + ".so");
    {
      std::error_code error;
      llvm::raw_fd_ostream stream(object, error);
      llvm::legacy::PassManager passes;
      machine_->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile);
      passes.run(module);
    }
    const char* link[] = {"ld.lld", "-shared",      "--threads=1", "--build-id=none",
                          "-o",     output.c_str(), object.c_str()};
    const auto result = lld::lldMain(link, llvm::outs(), llvm::errs(), {{lld::Gnu, &lld::elf::link}});
    if (result.retCode != 0 || !result.canRunAgain) fail(kernel, "it does not link");
    return output;
  }

  Mlir mlir_;
  const std::unique_ptr<llvm::TargetMachine> machine_;
  std::filesystem::path folder_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) return 2;
  Nvrtc nvrtc(arguments[1], arguments[2], {arguments + 4, arguments + count});
  Processor processor(arguments[3]);
  std::size_t bytes = 0;
  const auto kernels = applicationKernels();
  for (const auto& kernel : kernels) {
    if (kernel.language == Language::cuda) {
      bytes += nvrtc.cubinOf(kernel).size();
    } else {
      processor.compileAndCall(kernel);
    }
  }
  llvm::outs() << kernels.size() << " kernels: " << kernels.size() << " compiled; " << bytes
               << " bytes of cubins\n";
}
