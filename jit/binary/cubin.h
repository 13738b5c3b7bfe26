// What a cubin tells of its kernels.
//
// NVIDIA documents the tools and not the format: sources are the names and figures that `cuobjdump -elf` and
// `cuobjdump -res-usage` print (CUDA Binary Utilities), which tests hold against this for ELF ABI versions 7
// (CUDA 12) and 8 (CUDA 13, and Blackwell before it).
//
//   .symtab                a kernel is a function whose st_other has STO_CUDA_ENTRY
//   .nv.info               attributes of functions, each with the function's index in .symtab
//   .nv.info.KERNEL        attributes of one kernel
//   .nv.shared.KERNEL      as large as the shared memory that it sets aside
//   .nv.local.KERNEL       the same of local memory
//   .nv.constantN.KERNEL   its own part of constant bank N
//
//   attributes = attribute*
//   attribute  = format u8, kind u8, then by format
//                1 nothing or 2 a byte or 3 a u16, in two bytes; 4 a u16 length, then as many bytes
//
// ptxas keeps the low 16 bits of a length: of more than 8191 spilling instructions a kernel's attributes list
// as many as remain of a division by 8192.
//
// What Blackwell adds (.nv.capmerc.*, .nv.merc.*) says the same once more for a later compile by the driver.
#pragma once

#include "jit/binary/elf.h"
#include "jit/resource_usage.h"

namespace kiln::binary {

inline constexpr std::uint16_t kCudaMachine = 190;  // EM_CUDA

Read<std::vector<KernelResources>> readCubin(const ElfFile& cubin);

}  // namespace kiln::binary
