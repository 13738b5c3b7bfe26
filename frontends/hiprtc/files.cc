#include "frontends/hiprtc/files.h"

namespace kiln::hiprtc {

// Clang's driver looks for a ROCm, a CUDA toolkit, a GCC and its C++ headers, the C headers, itself and a
// linker before it compiles. comgr has its own of all of them but the headers, and those of a host do not
// compile for a device: hiprtc_runtime.h declares the same otherwise.
const FileHabits& fileHabits() {
  static const FileHabits habits = {
      .scratch = kScratchPrefix,
      .looksAtSource = 0,  // it compiles the copy that it has in its own directory
      .probes = {// Where it would be installed itself, which is nowhere: relative to the working directory.
                 "hip", "hip/include", "llvm/lib/clang", "llvm/lib/clang/", "lib", "lib/bitcode",
                 "lib/clang/", "amdgcn/bitcode", "../lib/", "bin/.hipVersion", "share/hip/version", "ld.lld",
                 "amdgcn-amd-amdhsa-ld.lld",
                 // ROCm and CUDA.
                 "/opt", "/opt/rocm", "/opt/rocm/lib", "/opt/rocm/lib/bitcode", "/opt/rocm/amdgcn/bitcode",
                 "/opt/rocm/bin/.hipVersion", "/opt/rocm/share/hip/version", "/usr/lib/hip",
                 "/usr/lib/hip/include", "/usr/local", "/usr/local/cuda-7.0", "/usr/local/cuda-7.5",
                 "/usr/local/cuda-8.0", "/usr/local/cuda", "/usr/local/cuda/bin", "/usr/local/cuda/include",
                 "/usr/local/cuda/lib64", "/usr/lib/cuda",
                 // GCC, the C library, and which distribution it is.
                 "/..", "/../", "/opt/rh", "/etc/env.d/gcc", "/lib", "/lib/x86_64-linux-gnu", "/lib/../lib64",
                 "/usr", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/../lib64", "/usr/include",
                 "/usr/include/x86_64-linux-gnu", "/usr/local/include", "/include", "/usr/lib/include",
                 "/usr/lib/llvm/lib/clang/", "/usr/include/clang/", "/etc/gentoo-release", "/etc/os-release",
                 "/usr/lib/os-release", "/etc/lsb-release", "/etc/redhat-release", "/etc/debian_version",
                 "/etc/SuSE-release"}};
  return habits;
}

}  // namespace kiln::hiprtc
