#include "frontends/llvm/generation.h"

#include <llvm/Support/ErrorHandling.h>

#include <new>
#include <utility>

#include "frontends/llvm/link.h"

namespace kiln::llvmir {
namespace {

// What LLVM says before it would end the process.
struct FatalError {
  std::string message;
};

[[noreturn]] void throwFatalError(void*, const char* reason, bool) { throw FatalError{reason}; }
[[noreturn]] void throwBadAlloc(void*, const char*, bool) { throw std::bad_alloc(); }

}  // namespace

std::expected<Artifact, Failure> generate(Compilation& compilation, const Request& request,
                                          const DeviceLibraries& libraries) {
  if (auto linked = compilation.link(libraries); !linked) return std::unexpected(std::move(linked.error()));
  if (auto optimised = compilation.optimise(request.options); !optimised) {
    return std::unexpected(std::move(optimised.error()));
  }
  const bool isPtx = request.outputs.front() == OutputKind::ptx;
  auto bytes =
      compilation.emit(isPtx ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  if (!isPtx) {
    const bool isHost = request.target.kind == Target::Kind::host;
    bytes = linkShared(*bytes, request.names.source, isHost ? Libraries::ofSystem : Libraries::none);
    if (!bytes) return std::unexpected(std::move(bytes.error()));
  }
  Artifact artifact;
  artifact.outputs.push_back({request.outputs.front(), std::move(*bytes), {}});
  artifact.log = compilation.log();
  return artifact;
}

std::expected<Artifact, Failure> guarded(const Request& request,
                                         const std::function<std::expected<Artifact, Failure>()>& compile) {
  try {
    const llvm::ScopedFatalErrorHandler handler(throwFatalError);
    llvm::remove_bad_alloc_error_handler();
    llvm::install_bad_alloc_error_handler(throwBadAlloc);
    return compile();
  } catch (const FatalError& error) {
    return std::unexpected(Failure{
        FailureKind::compileError,
        "compiling '" + request.names.source + "': LLVM cannot compile it for the target; its log shows why",
        "LLVM ERROR: " + error.message + "\n"});
  }
}

}  // namespace kiln::llvmir
