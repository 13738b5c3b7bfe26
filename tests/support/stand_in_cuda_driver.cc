// A stand-in for NVIDIA's driver, libcuda.so.1, which is none of NVIDIA's: see stand_in_driver.h.
#include "tests/support/stand_in_driver.h"

namespace {

// From CUDA 13 on the architecture is in the second byte of the flags.
bool isForDevice(const Elf64_Ehdr& header) {
  constexpr unsigned kFirstAbiWithSecondByte = 8;
  const bool isNew = header.e_ident[EI_ABIVERSION] >= kFirstAbiWithSecondByte;
  return kiln::test::device() == "sm_" + std::to_string(header.e_flags >> (isNew ? 8 : 0) & 0xff);
}

int load(void** module, const void* image) {
  constexpr std::uint16_t kCuda = 190;
  return kiln::test::loadImage(image, kCuda, isForDevice, module);
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int cuInit(unsigned) { return kiln::test::initialise(); }

int cuGetErrorName(int result, const char** name) {
  *name = kiln::test::nameOf(result);
  return kiln::test::success;
}

int cuDeviceGetCount(int* count) {
  *count = 1;
  return kiln::test::success;
}
int cuDeviceGet(int* device, int) {
  *device = 0;
  return kiln::test::success;
}
// Of "sm_90" the 9 and the 0: attributes 75 and 76.
int cuDeviceGetAttribute(int* value, int attribute, int) {
  const auto device = kiln::test::device();
  if (attribute != 75 && attribute != 76) return kiln::test::invalidValue;
  const auto number = std::atoi(device.substr(device.find('_') + 1).c_str());
  *value = attribute == 75 ? number / 10 : number % 10;
  return kiln::test::success;
}

int cuModuleLoadData(void** module, const void* image) { return load(module, image); }
int cuModuleUnload(void* module) { return kiln::test::unload(module); }
int cuModuleGetFunction(void** function, void* module, const char* name) {
  return kiln::test::findFunction(function, module, name);
}

int cuLibraryLoadData(void** library, const void* image, void*, void**, unsigned, void*, void**, unsigned) {
  return load(library, image);
}
int cuLibraryUnload(void* library) { return kiln::test::unload(library); }
int cuLibraryGetKernel(void** kernel, void* library, const char* name) {
  return kiln::test::findFunction(kernel, library, name);
}

}  // extern "C"
#pragma GCC visibility pop
