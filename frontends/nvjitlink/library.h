// nvJitLink, loaded at run time. No header of NVIDIA's is needed to build: what kiln calls is declared here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

#include "jit/failure.h"

namespace kiln::nvjitlink {

// nvJitLinkResult, as far as kiln tells results apart.
enum class Result : int {
  success = 0,
  unrecognizedOption = 1,
  missingArchitecture = 2,
  invalidInput = 3,
  ptxCompile = 4,
  nvvmCompile = 5,  // of LTO IR
  internal = 6,     // also for what the linker finds wrong with the inputs
  incompatibleOptions = 11,
  incorrectInputType = 12,
  architectureMismatch = 13,
  unrecognizedArchitecture = 16,
  unsupportedArchitecture = 17,
};

enum class InputType : int { ptx = 2, ltoIr = 3 };

struct LinkObject;
using LinkHandle = LinkObject*;

// The symbol table: every function that kiln calls, by its name without "nvJitLink".
struct Functions {
  Result (*version)(unsigned* major, unsigned* minor);
  Result (*create)(LinkHandle*, std::uint32_t optionCount, const char** options);
  Result (*destroy)(LinkHandle*);
  Result (*addData)(LinkHandle, InputType, const void* data, std::size_t size, const char* name);
  Result (*complete)(LinkHandle);
  Result (*getLinkedCubinSize)(LinkHandle, std::size_t*);
  Result (*getLinkedCubin)(LinkHandle, void*);
  Result (*getErrorLogSize)(LinkHandle, std::size_t*);
  Result (*getErrorLog)(LinkHandle, char*);
  Result (*getInfoLogSize)(LinkHandle, std::size_t*);
  Result (*getInfoLog)(LinkHandle, char*);
};

struct Version {
  unsigned major = 0;
  unsigned minor = 0;
};

// A loaded nvJitLink. It stays loaded for as long as the process lives.
class Library {
 public:
  // Failure: toolchainUnavailable.
  static std::expected<Library, Failure> open(const std::filesystem::path& path);

  const Functions* operator->() const { return &functions_; }
  // "13.0"
  [[nodiscard]] std::string version() const;

 private:
  Functions functions_{};
  Version version_;
};

}  // namespace kiln::nvjitlink
