// What the stand-ins for the vendors' drivers have in common: each says in its folder's name what it is. They
// have no device; they parse what they are to load, and take it if it is whole and for the device that the
// environment names. Nothing runs.
//
//   KILN_STAND_IN_DEVICE   "sm_90", "gfx90a"; "none": there is none
//   KILN_STAND_IN_REFUSES  how many loads of the process are refused as damaged, whatever they are
#pragma once

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "jit/binary/resources.h"

namespace kiln::test {

// Of CUresult and hipError_t.
enum DriverResult : int {
  success = 0,
  invalidValue = 1,
  noDevice = 100,
  invalidImage = 200,
  noBinaryForGpu = 209,
  notFound = 500,
};

inline const char* nameOf(int result) {
  switch (result) {
    case success:
      return "STAND_IN_SUCCESS";
    case noDevice:
      return "STAND_IN_NO_DEVICE";
    case invalidImage:
      return "STAND_IN_INVALID_IMAGE";
    case noBinaryForGpu:
      return "STAND_IN_NO_BINARY_FOR_GPU";
    case notFound:
      return "STAND_IN_NOT_FOUND";
    default:
      return "STAND_IN_INVALID_VALUE";
  }
}

struct DriverModule {
  std::vector<std::string> kernels;
};

inline std::string device() {
  const char* named = std::getenv("KILN_STAND_IN_DEVICE");
  return named != nullptr ? named : "";
}

inline int initialise() { return device() == "none" ? noDevice : success; }

inline bool isRefusedByOrder() {
  static int left = [] {
    const char* count = std::getenv("KILN_STAND_IN_REFUSES");
    return count != nullptr ? std::atoi(count) : 0;
  }();
  return left > 0 && left-- > 0;
}

// How large an image is by its own account; 0 if it is none. Drivers are told no size either.
inline std::size_t sizeOf(const void* image) {
  Elf64_Ehdr header;
  std::memcpy(&header, image, sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return 0;
  std::size_t size = header.e_shoff + std::size_t{header.e_shnum} * sizeof(Elf64_Shdr);
  const auto* sections = static_cast<const std::byte*>(image) + header.e_shoff;
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    std::memcpy(&section, sections + i * sizeof section, sizeof section);
    if (section.sh_type != SHT_NOBITS)
      size = std::max(size, std::size_t{section.sh_offset + section.sh_size});
  }
  return size;
}

// `isForDevice` tells by the ELF header whether the code is for the device.
inline int loadImage(const void* image, std::uint16_t machine, bool (*isForDevice)(const Elf64_Ehdr& header),
                     void** module) {
  if (image == nullptr || module == nullptr) return invalidValue;
  const auto size = sizeOf(image);
  if (size == 0 || isRefusedByOrder()) return invalidImage;
  Elf64_Ehdr header;
  std::memcpy(&header, image, sizeof header);
  if (header.e_machine != machine) return invalidImage;
  auto kernels = binary::readResources({static_cast<const std::byte*>(image), size});
  if (!kernels || kernels->empty()) return invalidImage;
  if (!isForDevice(header)) return noBinaryForGpu;
  auto* loaded = new DriverModule;
  for (const auto& kernel : *kernels) loaded->kernels.push_back(kernel.kernel);
  *module = loaded;
  return success;
}

inline int unload(void* module) {
  delete static_cast<DriverModule*>(module);
  return success;
}

// A function is the place of its name.
inline int findFunction(void** function, void* module, const char* name) {
  for (auto& kernel : static_cast<DriverModule*>(module)->kernels) {
    if (kernel != name) continue;
    *function = &kernel;
    return success;
  }
  return notFound;
}

}  // namespace kiln::test
