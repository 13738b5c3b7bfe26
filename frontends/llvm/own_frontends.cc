// kiln-compiler-llvm's: LLVM IR alone.
#include "frontends/process/own_frontends.h"

#include "frontends/llvm/compiler.h"

namespace kiln {

std::expected<std::unique_ptr<Compiler>, Failure> loadOwn(const Frontend&, const std::filesystem::path&,
                                                          const std::vector<std::filesystem::path>& handed) {
  return llvmir::load(handed);
}

}  // namespace kiln
