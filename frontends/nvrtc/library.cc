#include "frontends/nvrtc/library.h"

#include <dlfcn.h>

#include <cstdlib>

#include "frontends/nvrtc/discovery.h"

namespace kiln::nvrtc {
namespace {

// The name of the first function that is missing; empty if none is.
std::string loadOwnFunctions(void* library, Functions& functions) {
  std::string missing;
  auto load = [&](const char* name, auto& slot) {
    if (!rtc::loadFunction(library, name, slot) && missing.empty()) missing = name;
  };
  load("nvrtcGetNumSupportedArchs", functions.getNumSupportedArchs);
  load("nvrtcGetSupportedArchs", functions.getSupportedArchs);
  load("nvrtcGetPTXSize", functions.getPTXSize);
  load("nvrtcGetPTX", functions.getPTX);
  load("nvrtcGetCUBINSize", functions.getCUBINSize);
  load("nvrtcGetCUBIN", functions.getCUBIN);
  rtc::loadFunction(library, "nvrtcGetLTOIRSize", functions.getLTOIRSize);
  rtc::loadFunction(library, "nvrtcGetLTOIR", functions.getLTOIR);
  return missing;
}

Failure unavailable(const std::filesystem::path& path, const std::string& problem) {
  return {FailureKind::toolchainUnavailable, "cannot load NVRTC from '" + path.string() + "': " + problem};
}

std::expected<void*, Failure> load(const std::filesystem::path& path, const std::filesystem::path& library) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return std::unexpected(unavailable(library, dlerror()));
  return handle;
}

// NVRTC asks for its builtins by this name. Where none of that name is loaded yet, the dynamic loader would
// take any it finds in the system, which no identity covers.
std::expected<void, Failure> checkBuiltins(const std::filesystem::path& library, Version version) {
  auto name = "libnvrtc-builtins.so." + std::to_string(version.major) + "." + std::to_string(version.minor);
  void* loaded = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (loaded != nullptr) {
    dlclose(loaded);
    return {};
  }
  return std::unexpected(unavailable(
      library, "it needs " + name + ", which is not beside it; install the whole of one version of NVRTC"));
}

// What these say would reach the output and no key: NVRTC takes options and a version of its IR from them.
void clearEnvironment() {
  for (const char* name :
       {"NVRTC_APPEND_FLAGS", "NVRTC_DISABLE_PCH", "NVRTC_PCH_HEAP_SIZE", "NV_NVVM_VERSION"}) {
    unsetenv(name);
  }
}

}  // namespace

std::expected<Library, Failure> Library::open(const std::filesystem::path& path) {
  clearEnvironment();
  auto builtins = builtinsOf(path);
  if (builtins.empty()) {
    return std::unexpected(
        unavailable(path, "there is no libnvrtc-builtins.so beside it; install the whole of NVRTC"));
  }
  for (const auto& file : builtins) {
    if (auto loaded = load(file, path); !loaded) return std::unexpected(std::move(loaded.error()));
  }
  auto handle = load(path, path);
  if (!handle) return std::unexpected(std::move(handle.error()));

  Library library;
  auto missing = rtc::loadFunctions(*handle, library.api_);
  if (missing.empty()) missing = loadOwnFunctions(*handle, library.functions_);
  if (!missing.empty()) {
    return std::unexpected(
        unavailable(path, "it has no function " + missing + "; kiln needs NVRTC 11.2 or later"));
  }
  const auto& api = library.api_;
  auto result = api->version(&library.version_.major, &library.version_.minor);
  if (result != Result::success) {
    return std::unexpected(
        unavailable(path, std::string("it does not tell its version: ") + api->getErrorString(result)));
  }
  if (auto checked = checkBuiltins(path, library.version_); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  return library;
}

}  // namespace kiln::nvrtc
