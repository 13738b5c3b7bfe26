// kiln-compiler's: those whose libraries are loaded at run time.
#include "frontends/process/own_frontends.h"

namespace kiln {

std::expected<std::unique_ptr<Compiler>, Failure> loadOwn(const Frontend& frontend,
                                                          const std::filesystem::path& library,
                                                          const std::vector<std::filesystem::path>&) {
  return frontend.load(library);
}

}  // namespace kiln
