#include "frontends/llvm/device_library_search.h"

#include <utility>

namespace kiln {
namespace {

LibraryKind bitcode(std::string_view name, const Vendor& vendor, LibraryPlaces places) {
  constexpr std::string_view kSuffix = ".bc";
  name.remove_suffix(kSuffix.size());
  return {.stems = {name}, .vendor = &vendor, .suffix = kSuffix, .places = std::move(places)};
}

}  // namespace

std::vector<LibraryKind> deviceLibraryKinds() {
  const LibraryPlaces ofCuda = {{"nvvm/libdevice"},
                                {"nvidia/cuda_nvcc/nvvm/libdevice", "nvidia/cu*/nvvm/libdevice"},
                                {"/usr/lib/nvidia-cuda-toolkit/libdevice", "/usr/lib/cuda/nvvm/libdevice"}};
  const LibraryPlaces ofRocm = {{"amdgcn/bitcode", "lib/llvm/amdgcn/bitcode", "lib/amdgcn/bitcode"},
                                {"_rocm_sdk_*/lib/llvm/amdgcn/bitcode"},
                                {"/usr/lib/x86_64-linux-gnu/amdgcn/bitcode", "/usr/lib64/amdgcn/bitcode"}};
  return {bitcode(kLibdevice, nvidia(), ofCuda), bitcode(kOcml, amd(), ofRocm),
          bitcode(kOckl, amd(), ofRocm)};
}

std::vector<std::filesystem::path> findDeviceLibraries(const ToolchainSearch& search) {
  std::vector<std::filesystem::path> files;
  for (const auto& kind : deviceLibraryKinds()) {
    const auto found = findLibraries(kind, search);
    if (!found.empty()) files.push_back(found.front().name);
  }
  return files;
}

}  // namespace kiln
