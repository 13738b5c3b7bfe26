// Targets as LLVM has them.
#pragma once

#include <llvm/MC/TargetRegistry.h>
#include <llvm/Target/TargetMachine.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jit/failure.h"
#include "jit/target.h"

namespace kiln::llvmir {

// How LLVM calls a target of ours.
struct Machine {
  std::string triple;     // "nvptx64-nvidia-cuda"
  std::string processor;  // "sm_90"
  std::string features;   // "+sramecc,-xnack"
};

Machine machineOf(const Target& target);

// Makes LLVM know its targets. Once in a process, before all else here.
void initialiseTargets();

// Every target that this LLVM has for NVIDIA, for AMD with each choice of features, and for the host without.
std::vector<std::string> allTargets();

// Failure: unsupportedTarget for a feature that LLVM does not know, toolchainUnavailable where LLVM lacks the
// backend.
std::expected<std::unique_ptr<llvm::TargetMachine>, Failure> targetMachine(const Target& target,
                                                                           llvm::CodeGenOptLevel level);

// "22.1".
std::string llvmVersion();

}  // namespace kiln::llvmir
