// A module of LLVM IR: read, checked against the target, optimised, turned into assembly or an object.
#pragma once

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/llvm/device_libraries.h"
#include "jit/failure.h"
#include "jit/request.h"

namespace kiln::llvmir {

// How hard the code generator works at an optimisation level of options.h, '0' to '3'.
llvm::CodeGenOptLevel codeGenLevel(char level);

class Compilation {
 public:
  // Reads `request.source`, text or bitcode. Failure: compileError with what LLVM says; else as below.
  static std::expected<Compilation, Failure> read(const Request& request);
  // Takes a module that was made for the request. Failure: compileError for one that is not valid,
  // invalidRequest where its triple, its data layout or its functions' processor are of another machine than
  // the target.
  static std::expected<Compilation, Failure> take(std::unique_ptr<llvm::LLVMContext> context,
                                                  std::unique_ptr<llvm::Module> module,
                                                  const Request& request);
  Compilation(Compilation&&) noexcept;
  Compilation& operator=(Compilation&&) = delete;
  ~Compilation();

  // Links in the device libraries that it calls. Failure: as theirs.
  std::expected<void, Failure> link(const DeviceLibraries& libraries);
  // By the level or the pipeline that `options` name (options.h). Failure: invalidRequest for a pipeline that
  // LLVM does not know.
  std::expected<void, Failure> optimise(const std::vector<std::string>& options);
  // Assembly text, which is PTX for NVIDIA, or an object file. Once.
  std::expected<std::string, Failure> emit(llvm::CodeGenFileType type);
  // All that LLVM wrote so far.
  [[nodiscard]] const std::string& log() const;

 private:
  struct State {
    std::string log;
    bool hasFailed = false;
    std::string name;
    Target target;
    std::unique_ptr<llvm::LLVMContext> context;
    std::unique_ptr<llvm::Module> module;
    std::unique_ptr<llvm::TargetMachine> machine;
  };

  Compilation(const Request& request, std::unique_ptr<llvm::LLVMContext> context);
  std::expected<void, Failure> fitToTarget(const Request& request);
  std::expected<void, Failure> checkTriple(const llvm::Triple& triple) const;
  std::expected<void, Failure> checkLayout(const llvm::DataLayout& layout) const;
  // For AMD a function's processor must be the target's, since the code was generated for it; for the host it
  // becomes the target's.
  std::expected<void, Failure> fitFunctions();
  [[nodiscard]] Failure failure(std::string_view what) const;

  std::unique_ptr<State> state_;
};

}  // namespace kiln::llvmir
