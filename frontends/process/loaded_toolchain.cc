#include "frontends/process/loaded_toolchain.h"

#include "jit/sha256.h"

namespace kiln {

std::expected<LoadedToolchain, Failure> loadToolchain(const Frontend& frontend,
                                                      const std::filesystem::path& library) {
  std::error_code error;
  auto canonical = std::filesystem::canonical(library, error);
  if (error) {
    return std::unexpected(Failure{FailureKind::toolchainUnavailable,
                                   "cannot load '" + library.string() + "': " + error.message() +
                                       "; give the path of an installed library"});
  }
  auto compiler = frontend.load(library);
  if (!compiler) return std::unexpected(std::move(compiler.error()));
  if (auto warmed = (*compiler)->warm(); !warmed) return std::unexpected(std::move(warmed.error()));
  sha256("");
  return LoadedToolchain{&frontend, std::move(*compiler), canonical.parent_path().string()};
}

}  // namespace kiln
