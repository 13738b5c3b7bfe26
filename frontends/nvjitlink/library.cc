#include "frontends/nvjitlink/library.h"

#include <dlfcn.h>

namespace kiln::nvjitlink {
namespace {

Failure unavailable(const std::filesystem::path& path, const std::string& problem) {
  return {FailureKind::toolchainUnavailable,
          "cannot load nvJitLink from '" + path.string() + "': " + problem};
}

template <typename Function>
void load(void* library, const char* name, Function*& slot, std::string& missing) {
  slot = reinterpret_cast<Function*>(dlsym(library, name));
  if (slot == nullptr && missing.empty()) missing = name;
}

}  // namespace

std::expected<Library, Failure> Library::open(const std::filesystem::path& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return std::unexpected(unavailable(path, dlerror()));
  Library library;
  auto& functions = library.functions_;
  std::string missing;
  load(handle, "nvJitLinkVersion", functions.version, missing);
  load(handle, "nvJitLinkCreate", functions.create, missing);
  load(handle, "nvJitLinkDestroy", functions.destroy, missing);
  load(handle, "nvJitLinkAddData", functions.addData, missing);
  load(handle, "nvJitLinkComplete", functions.complete, missing);
  load(handle, "nvJitLinkGetLinkedCubinSize", functions.getLinkedCubinSize, missing);
  load(handle, "nvJitLinkGetLinkedCubin", functions.getLinkedCubin, missing);
  load(handle, "nvJitLinkGetErrorLogSize", functions.getErrorLogSize, missing);
  load(handle, "nvJitLinkGetErrorLog", functions.getErrorLog, missing);
  load(handle, "nvJitLinkGetInfoLogSize", functions.getInfoLogSize, missing);
  load(handle, "nvJitLinkGetInfoLog", functions.getInfoLog, missing);
  if (!missing.empty()) {
    return std::unexpected(
        unavailable(path, "it has no function " + missing + "; kiln needs nvJitLink 12.3 or later"));
  }
  auto& version = library.version_;
  if (library->version(&version.major, &version.minor) != Result::success) {
    return std::unexpected(unavailable(path, "it does not tell its version"));
  }
  return library;
}

std::string Library::version() const {
  return std::to_string(version_.major) + "." + std::to_string(version_.minor);
}

}  // namespace kiln::nvjitlink
