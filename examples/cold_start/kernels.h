// The 200 kernels that the application needs before it can serve: 186 for a GPU and 14 for the processor, as
// texts. Nothing here knows of kiln: bench/cold_start_direct.cc compiles the same without it.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

enum class Language { cuda, llvmIr, mlir };

struct Kernel {
  Language language;
  std::string file;    // what the source is called: "activation.cu"
  std::string source;  // includes CUB's headers if needsCub
  std::string entry;   // CUDA: a name expression, "activation<gelu, float, 4>"; else a function
  bool needsCub = false;
  // Of the processor's kernels: calls the function, and tells whether it computes what plain C++ does.
  std::function<bool(void* function)> isRight;
};

// "activation.cu: activation<gelu, float, 4>", by which kiln's locks call it too.
inline std::string nameOf(const Kernel& kernel) { return kernel.file + ": " + kernel.entry; }

std::vector<Kernel> cudaKernels();
std::vector<Kernel> hostKernels();

// All of them, in the order in which they are needed.
inline std::vector<Kernel> applicationKernels() {
  auto kernels = cudaKernels();
  for (auto& kernel : hostKernels()) kernels.push_back(std::move(kernel));
  return kernels;
}
