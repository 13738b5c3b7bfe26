// From MLIR to LLVM IR.
#pragma once

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <mlir/IR/BuiltinOps.h>
#include <mlir/IR/DialectRegistry.h>
#include <mlir/IR/MLIRContext.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jit/failure.h"
#include "jit/request.h"
#include "jit/target.h"

namespace kiln::mlirir {

// What is known to every compile of a process: dialects, and the names of passes.
class Environment {
 public:
  // Once in a process.
  Environment();

  [[nodiscard]] const mlir::DialectRegistry& dialects() const { return dialects_; }
  [[nodiscard]] const std::vector<std::string>& passes() const { return passes_; }

 private:
  mlir::DialectRegistry dialects_;
  std::vector<std::string> passes_;
};

// The passes for a target of this kind where the request states none, as mlir-opt takes them. Arguments that
// are memrefs become addresses (bare pointers) if `isStatic`, all of them being of known shape; else MLIR's
// descriptors: two addresses, an offset, sizes and strides.
std::string defaultPipeline(const Target& target, bool isStatic);

// One request's module, from its text to LLVM IR.
class Lowering {
 public:
  Lowering(const Environment& environment, const Request& request);
  ~Lowering();
  Lowering(const Lowering&) = delete;
  Lowering& operator=(const Lowering&) = delete;

  // Reads the module, runs its pipeline, translates what there is for the target: of a GPU all gpu.modules,
  // or the module itself where it has none. Failure: compileError with MLIR's log, invalidRequest for a
  // pipeline that cannot be used, with the passes there are.
  std::expected<std::unique_ptr<llvm::Module>, Failure> run(llvm::LLVMContext& context);

  // All that MLIR wrote so far.
  [[nodiscard]] const std::string& log() const;

 private:
  struct State;

  std::expected<void, Failure> read();
  std::expected<void, Failure> lower();
  std::expected<std::unique_ptr<llvm::Module>, Failure> translate(llvm::LLVMContext& context);
  [[nodiscard]] Failure failure(std::string_view what) const;

  const Environment& environment_;
  const Request& request_;
  std::unique_ptr<State> state_;
};

}  // namespace kiln::mlirir
