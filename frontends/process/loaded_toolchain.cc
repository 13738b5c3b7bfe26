#include "frontends/process/loaded_toolchain.h"

#include "frontends/process/interpose.h"
#include "frontends/process/job_connection.h"
#include "jit/sha256.h"

namespace kiln {
namespace {

// In a compile's surroundings but for a client: it sees no file that is not its own, and leaves none behind.
std::expected<void, Failure> warm(Compiler& compiler, const Frontend& frontend,
                                  const std::string& toolchainDirectory) {
  auto job = JobConnection::withoutClient();
  Request request;
  request.names.workingDirectory = "/";
  CompileFiles files(job, request, frontend.files, toolchainDirectory);
  SystemAnswers system(request);
  const Interposition interposition(files, system);
  return compiler.warm();
}

}  // namespace

std::expected<LoadedToolchain, Failure> loadToolchain(const Frontend& frontend,
                                                      const std::filesystem::path& library,
                                                      const LoadCompiler& load) {
  std::error_code error;
  auto canonical = std::filesystem::canonical(library, error);
  if (error) {
    return std::unexpected(Failure{FailureKind::toolchainUnavailable,
                                   "cannot load '" + library.string() + "': " + error.message() +
                                       "; give the path of an installed library"});
  }
  const auto directory = canonical.parent_path().string();
  auto compiler = load();
  if (!compiler) return std::unexpected(std::move(compiler.error()));
  if (auto warmed = warm(**compiler, frontend, directory); !warmed) {
    return std::unexpected(std::move(warmed.error()));
  }
  sha256("");
  return LoadedToolchain{&frontend, std::move(*compiler), directory};
}

}  // namespace kiln
