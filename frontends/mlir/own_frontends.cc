// kiln-compiler-mlir's: MLIR alone.
#include "frontends/process/own_frontends.h"

#include "frontends/mlir/compiler.h"

namespace kiln {

std::expected<std::unique_ptr<Compiler>, Failure> loadOwn(const Frontend&, const std::filesystem::path&,
                                                          const std::vector<std::filesystem::path>& handed) {
  return mlirir::load(handed);
}

}  // namespace kiln
