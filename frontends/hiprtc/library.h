// hiprtc, loaded at run time together with comgr, which compiles for it. No header of AMD's is needed to
// build: what kiln calls is declared here and in frontends/rtc/api.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "frontends/rtc/api.h"
#include "jit/failure.h"

namespace kiln::hiprtc {

using rtc::ProgramHandle;
using rtc::Result;

// What hiprtc has beside rtc::Functions, by name without "hiprtc".
struct Functions {
  Result (*getCodeSize)(ProgramHandle, std::size_t*);
  Result (*getCode)(ProgramHandle, char*);
  // Since 5.3; null before.
  Result (*getBitcodeSize)(ProgramHandle, std::size_t*);
  Result (*getBitcode)(ProgramHandle, char*);
};

// A loaded hiprtc. It stays loaded for as long as the process lives.
class Library {
 public:
  // Loads `path` and what it compiles with (companionsOf() in discovery.h), so that no search path of the
  // dynamic loader decides which comgr is used. Failure: toolchainUnavailable.
  static std::expected<Library, Failure> open(const std::filesystem::path& path);

  const Functions* operator->() const { return &functions_; }
  [[nodiscard]] const rtc::Api& api() const { return api_; }
  // "5.2"
  [[nodiscard]] const std::string& version() const { return version_; }
  // What comgr compiles for, in its order: every processor, and behind it its forms with features, as
  // parseTarget() names them.
  [[nodiscard]] const std::vector<std::string>& targets() const { return targets_; }

 private:
  rtc::Api api_{.compiler = "hiprtc", .prefix = "hiprtc"};
  Functions functions_{};
  std::string version_;
  std::vector<std::string> targets_;
};

}  // namespace kiln::hiprtc
