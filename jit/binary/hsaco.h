// What an hsaco (an AMD code object) tells of its kernels.
//
// Source: LLVM, User Guide for AMDGPU Backend, "Code Object V3 Metadata" and what later versions add to it: a
// note NT_AMDGPU_METADATA of the vendor "AMDGPU" holds a map in MessagePack; of that "amdhsa.kernels" is an
// array of maps, one a kernel. Versions 3 to 6 have the same keys; ".agpr_count" and ".uses_dynamic_stack"
// are not in all of them.
#pragma once

#include "jit/binary/elf.h"
#include "jit/resource_usage.h"

namespace kiln::binary {

inline constexpr std::uint16_t kAmdMachine = 224;  // EM_AMDGPU

Read<std::vector<KernelResources>> readHsaco(const ElfFile& hsaco);

}  // namespace kiln::binary
