// The bitcode that device code calls, linked into the modules that call it: NVIDIA's libdevice (__nv_*),
// ROCm's ocml and ockl (__ocml_*, __ockl_*).
#pragma once

#include <llvm/IR/Module.h>
#include <llvm/Support/MemoryBuffer.h>

#include <expected>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "jit/failure.h"
#include "jit/target.h"

namespace kiln::llvmir {

class DeviceLibraries {
 public:
  // Reads `files`, which are called as device_library_search.h says. Failure: toolchainUnavailable.
  static std::expected<DeviceLibraries, Failure> read(const std::vector<std::filesystem::path>& files);

  // Links in what `module`, whose target is `target`, calls of them, as internal functions, and what these
  // ask of the target: constants that ROCm's own packages have as bitcode, but not for every target. A module
  // that calls nothing of them stays as it is. `name` is the module's, for failures: toolchainUnavailable if
  // what it calls is not there, compileError if it cannot be linked.
  std::expected<void, Failure> link(llvm::Module& module, const Target& target,
                                    const std::string& name) const;

 private:
  std::expected<void, Failure> linkOne(llvm::Module& module, std::string_view library,
                                       const std::string& name) const;

  std::map<std::string, std::shared_ptr<llvm::MemoryBuffer>> libraries_;  // by file name
};

}  // namespace kiln::llvmir
