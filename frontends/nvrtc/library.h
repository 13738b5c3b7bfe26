// NVRTC, loaded at run time. No header of NVIDIA's is needed to build: what kiln calls is declared here and
// in frontends/rtc/api.h.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>

#include "frontends/rtc/api.h"
#include "jit/failure.h"

namespace kiln::nvrtc {

using rtc::ProgramHandle;
using rtc::Result;

// What NVRTC has beside rtc::Functions, by name without "nvrtc".
struct Functions {
  Result (*getNumSupportedArchs)(int* count);
  Result (*getSupportedArchs)(int* archs);
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
  [[nodiscard]] const rtc::Api& api() const { return api_; }
  [[nodiscard]] Version version() const { return version_; }

 private:
  rtc::Api api_{.compiler = "NVRTC", .prefix = "nvrtc"};
  Functions functions_{};
  Version version_;
};

}  // namespace kiln::nvrtc
