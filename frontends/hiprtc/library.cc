#include "frontends/hiprtc/library.h"

#include <dlfcn.h>

#include "frontends/hiprtc/comgr.h"
#include "frontends/hiprtc/discovery.h"

namespace kiln::hiprtc {
namespace {

Failure unavailable(const std::filesystem::path& path, const std::string& problem) {
  return {FailureKind::toolchainUnavailable, "cannot load hiprtc from '" + path.string() + "': " + problem};
}

// hiprtcVersion() says 9.0 for every version up to 5.x.
std::string versionOf(const rtc::Api& api, const std::filesystem::path& path) {
  auto version = versionInName(path);
  if (version.find('.') != std::string::npos) return version;
  int major = 0;
  int minor = 0;
  if (api->version(&major, &minor) != Result::success) return {};
  return std::to_string(major) + "." + std::to_string(minor);
}

}  // namespace

std::expected<Library, Failure> Library::open(const std::filesystem::path& path) {
  auto load = [](const std::filesystem::path& file) { return dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL); };
  std::error_code error;
  const auto canonical = std::filesystem::canonical(path, error);
  void* comgr = nullptr;
  for (const auto& file : companionsOf(canonical)) {
    void* companion = load(file);
    if (companion == nullptr) return std::unexpected(unavailable(path, dlerror()));
    if (isComgr(file)) comgr = companion;
  }
  if (comgr == nullptr) {
    return std::unexpected(
        unavailable(path, "there is no libamd_comgr.so beside it; install the whole of hiprtc"));
  }
  void* handle = load(path);
  if (handle == nullptr) return std::unexpected(unavailable(path, dlerror()));

  Library library;
  auto missing = rtc::loadFunctions(handle, library.api_);
  auto& functions = library.functions_;
  auto need = [&](const char* name, auto& slot) {
    if (!rtc::loadFunction(handle, name, slot) && missing.empty()) missing = name;
  };
  need("hiprtcGetCodeSize", functions.getCodeSize);
  need("hiprtcGetCode", functions.getCode);
  if (!missing.empty()) {
    return std::unexpected(
        unavailable(path, "it has no function " + missing + "; kiln needs hiprtc 5.2 or later"));
  }
  rtc::loadFunction(handle, "hiprtcGetBitcodeSize", functions.getBitcodeSize);
  rtc::loadFunction(handle, "hiprtcGetBitcode", functions.getBitcode);
  library.version_ = versionOf(library.api_, canonical);
  if (library.version_.empty()) return std::unexpected(unavailable(path, "it does not tell its version"));
  auto targets = targetsOf(comgr);
  if (!targets) return std::unexpected(unavailable(path, targets.error()));
  library.targets_ = std::move(*targets);
  return library;
}

}  // namespace kiln::hiprtc
