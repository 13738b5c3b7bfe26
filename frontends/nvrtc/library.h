// NVRTC, loaded at run time. No header of NVIDIA's is needed to build: what kiln calls is declared here.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>

#include "jit/failure.h"

namespace kiln::nvrtc {

// nvrtcResult, as far as kiln tells results apart (failures.h).
enum class Result : int {
  success = 0,
  outOfMemory = 1,
  invalidOption = 5,
  compilation = 6,
  builtinOperationFailure = 7,
};

struct ProgramObject;
using ProgramHandle = ProgramObject*;

// The symbol table: every function that kiln calls, by its name without "nvrtc".
struct Functions {
  const char* (*getErrorString)(Result);
  Result (*version)(int* major, int* minor);
  Result (*getNumSupportedArchs)(int* count);
  Result (*getSupportedArchs)(int* archs);
  Result (*createProgram)(ProgramHandle*, const char* source, const char* name, int headerCount,
                          const char* const* headers, const char* const* headerNames);
  Result (*destroyProgram)(ProgramHandle*);
  Result (*addNameExpression)(ProgramHandle, const char* expression);
  Result (*compileProgram)(ProgramHandle, int optionCount, const char* const* options);
  Result (*getLoweredName)(ProgramHandle, const char* expression, const char** lowered);
  Result (*getProgramLogSize)(ProgramHandle, std::size_t*);
  Result (*getProgramLog)(ProgramHandle, char*);
  Result (*getPTXSize)(ProgramHandle, std::size_t*);
  Result (*getPTX)(ProgramHandle, char*);
  Result (*getCUBINSize)(ProgramHandle, std::size_t*);
  Result (*getCUBIN)(ProgramHandle, char*);
  // Since 12.0; null before.
  Result (*getLTOIRSize)(ProgramHandle, std::size_t*);
  Result (*getLTOIR)(ProgramHandle, char*);
};

struct Version {
  int major = 0;
  int minor = 0;

  auto operator<=>(const Version&) const = default;
};

// A loaded NVRTC. It stays loaded for as long as the process lives: NVRTC leaves things behind that run at
// exit.
class Library {
 public:
  // Loads `path` together with the builtins library that stands beside it, so that no search path of the
  // dynamic loader decides which builtins are used. Takes the environment variables that steer NVRTC out of
  // the process's environment. Failure: toolchainUnavailable.
  static std::expected<Library, Failure> open(const std::filesystem::path& path);

  const Functions* operator->() const { return &functions_; }
  [[nodiscard]] Version version() const { return version_; }

 private:
  Functions functions_{};
  Version version_;
};

}  // namespace kiln::nvrtc
