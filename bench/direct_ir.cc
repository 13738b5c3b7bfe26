// What a program pays that compiles LLVM IR or MLIR for a processor by LLVM, MLIR and lld itself, in a
// process of its own: no code of kiln's is in here.
//
// usage: direct_ir SOURCE OUTPUT PROCESSOR [PIPELINE]     with a pipeline the source is MLIR
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
#include <memory>
#include <string>

LLD_HAS_DRIVER(elf)

namespace {

[[noreturn]] void fail(const std::string& what) {
  llvm::errs() << "direct_ir: " << what << "\n";
  std::exit(1);
}

std::unique_ptr<llvm::Module> fromMlir(const char* source, const std::string& pipeline,
                                       llvm::LLVMContext& context) {
  mlir::DialectRegistry dialects;
  mlir::registerAllDialects(dialects);
  mlir::registerAllExtensions(dialects);
  mlir::registerAllToLLVMIRTranslations(dialects);
  mlir::registerAllPasses();
  mlir::MLIRContext mlirContext(dialects, mlir::MLIRContext::Threading::DISABLED);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(source, &mlirContext);
  if (!module) fail("the source is no MLIR");
  auto passes = mlir::parsePassPipeline(pipeline);
  if (mlir::failed(passes)) fail("there is no such pipeline");
  mlir::PassManager manager(&mlirContext);
  static_cast<mlir::OpPassManager&>(manager) = *passes;
  if (mlir::failed(manager.run(*module))) fail("the module does not pass its pipeline");
  return mlir::translateModuleToLLVMIR(*module, context, "kernels");
}

std::unique_ptr<llvm::Module> fromLlvm(const char* source, llvm::LLVMContext& context) {
  llvm::SMDiagnostic error;
  return llvm::parseIRFile(source, error, context);
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
  llvm::ModulePassManager passes;
  if (builder.parsePassPipeline(passes, "default<O2>")) fail("there is no default pipeline");
  passes.run(module, modules);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) return 2;
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  llvm::LLVMContext context;
  auto module = count > 4 ? fromMlir(arguments[1], arguments[4], context) : fromLlvm(arguments[1], context);
  if (module == nullptr) fail("the source is no LLVM IR");

  std::string problem;
  const llvm::Triple triple("x86_64-unknown-linux-gnu");
  const auto* target = llvm::TargetRegistry::lookupTarget(triple, problem);
  const std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(triple, arguments[3], "", {}, llvm::Reloc::PIC_));
  module->setSourceFileName("kernels");  // as kiln has it
  module->setTargetTriple(triple);
  module->setDataLayout(machine->createDataLayout());
  optimise(*module, *machine);

  const std::string object = std::string(arguments[2]) + ".o";
  {
    std::error_code error;
    llvm::raw_fd_ostream stream(object, error);
    llvm::legacy::PassManager passes;
    machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile);
    passes.run(*module);
  }
  const char* link[] = {"ld.lld", "-shared",    "--threads=1", "--build-id=none",
                        "-o",     arguments[2], object.c_str()};
  const auto linked = lld::lldMain(link, llvm::outs(), llvm::errs(), {{lld::Gnu, &lld::elf::link}});
  std::remove(object.c_str());
  return linked.retCode;
}
