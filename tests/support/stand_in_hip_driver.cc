// A stand-in for AMD's runtime, libamdhip64.so.6, which is none of AMD's: see stand_in_driver.h.
#include "tests/support/stand_in_driver.h"

namespace {

// EF_AMDGPU_MACH, for the devices that tests name (LLVM's AMDGPUUsage, "Processors"); gfx000 is that of
// binaries put together by hand.
bool isForDevice(const Elf64_Ehdr& header) {
  constexpr std::uint32_t kGfx90a = 0x3f, kGfx942 = 0x4c;
  const auto machine = header.e_flags & 0xff;
  const auto device = kiln::test::device();
  return (device == "gfx000" && machine == 0) || (device == "gfx90a" && machine == kGfx90a) ||
         (device == "gfx942" && machine == kGfx942);
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int hipInit(unsigned) { return kiln::test::initialise(); }
const char* hipGetErrorName(int result) { return kiln::test::nameOf(result); }

int hipModuleLoadData(void** module, const void* image) {
  constexpr std::uint16_t kAmdGpu = 224;
  return kiln::test::loadImage(image, kAmdGpu, isForDevice, module);
}
int hipModuleUnload(void* module) { return kiln::test::unload(module); }
int hipModuleGetFunction(void** function, void* module, const char* name) {
  return kiln::test::findFunction(function, module, name);
}

}  // extern "C"
#pragma GCC visibility pop
