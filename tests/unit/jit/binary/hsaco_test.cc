// Hsacos of hiprtc, held against llvm-readelf's reading of them, and some that no compiler writes.
#include "jit/binary/hsaco.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "jit/binary/resources.h"
#include "real_binaries.h"
#include "tests/support/sample_binaries.h"

using namespace kiln;
using namespace kiln::binary;
using namespace kiln::test;

namespace {

constexpr std::string_view kKernels = R"(
extern "C" __global__ void __launch_bounds__(128) tiles(float* x) {
  __shared__ float tile[256];
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = tile[255 - threadIdx.x];
}
extern "C" __global__ void __launch_bounds__(1024) spills(float* x) {
  float a[150];
#pragma unroll
  for (int i = 0; i < 150; i++) a[i] = x[i * threadIdx.x];
  for (int k = 0; k < x[0]; k++) {
#pragma unroll
    for (int i = 0; i < 150; i++) a[i] = a[i] * a[(i + 1) % 150] + a[(i + 17) % 150];
  }
#pragma unroll
  for (int i = 0; i < 150; i++) x[i * threadIdx.x] = a[i];
}
__device__ __noinline__ int depth(int n) { return n > 0 ? depth(n - 1) + 1 : 0; }
extern "C" __global__ void recursive(int* x) { x[0] = depth(x[1]); }
)";

std::vector<KernelResources> kernelsOf(const std::string& hsaco) {
  auto kernels = readResources(asBytes(hsaco));
  INFO((kernels ? "" : kernels.error().what));
  REQUIRE(kernels);
  return *kernels;
}

std::string problemOf(const std::string& hsaco) {
  auto kernels = readResources(asBytes(hsaco));
  REQUIRE_FALSE(kernels);
  return kernels.error().what;
}

// The same by llvm-readelf: keys of a kernel are those that stand four blanks in, "- " before the first of
// them.
std::vector<KernelResources> kernelsByReadelf(const std::string& path) {
  const std::map<std::string, Resource> keys = {{".vgpr_count:", Resource::registers},
                                                {".sgpr_count:", Resource::scalarRegisters},
                                                {".agpr_count:", Resource::accumulationRegisters},
                                                {".vgpr_spill_count:", Resource::spilledRegisters},
                                                {".sgpr_spill_count:", Resource::spilledScalarRegisters},
                                                {".group_segment_fixed_size:", Resource::sharedBytes},
                                                {".private_segment_fixed_size:", Resource::localBytes},
                                                {".max_flat_workgroup_size:", Resource::maxThreads},
                                                {".wavefront_size:", Resource::wavefrontSize},
                                                {".uses_dynamic_stack:", Resource::dynamicStack}};
  std::vector<KernelResources> kernels;
  std::istringstream lines(outputOf("llvm-readelf --notes " + path));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  - .")) kernels.emplace_back();
    if (kernels.empty() || line.size() < 5 || line.find('.') != 4) continue;
    std::istringstream words(line.substr(4));
    std::string key, value;
    words >> key >> value;
    if (key == ".name:") kernels.back().kernel = value;
    auto known = keys.find(key);
    if (known == keys.end()) continue;
    auto isNumber = known->second != Resource::dynamicStack;
    kernels.back().figures[known->second] =
        isNumber ? static_cast<std::uint32_t>(std::stoul(value)) : (value == "true" ? 1 : 0);
  }
  return kernels;
}

}  // namespace

TEST_CASE("An hsaco tells of its kernels what llvm-readelf tells") {
  auto options = GENERATE("--gpu-architecture=gfx90a", "--gpu-architecture=gfx1030",
                          "--gpu-architecture=gfx90a -mcode-object-version=5",
                          "--gpu-architecture=gfx1030 -mcode-object-version=3");
  CAPTURE(options);
  RealCompilers compilers;
  auto kernels = kernelsOf(compilers.hsaco(kKernels, options));
  CHECK(kernels == kernelsByReadelf(compilers.lastBinary()));
  REQUIRE(kernels.size() == 3);
  CHECK(kernels[0].kernel == "tiles");
  CHECK(kernels[0].figures[Resource::sharedBytes] == 1024);
  CHECK(kernels[0].figures[Resource::maxThreads] == 128);
  CHECK(kernels[1].figures[Resource::spilledRegisters] > 0);
  CHECK(kernels[1].figures[Resource::localBytes] > 0);
}

TEST_CASE("A real hsaco that is cut off anywhere is refused") {
  RealCompilers compilers;
  auto hsaco = compilers.hsaco(kKernels, "--gpu-architecture=gfx90a");
  REQUIRE(readResources(asBytes(hsaco)));
  for (std::size_t length = 0; length < hsaco.size(); ++length) {
    if (readResources(asBytes(hsaco).first(length))) FAIL("accepted at " << length << " of " << hsaco.size());
  }
}

TEST_CASE("The figures are those of the kernel's own keys, and no others") {
  auto kernels = kernelsOf(sampleHsaco(sampleMetadata()));
  CHECK(kernels ==
        std::vector<KernelResources>{{"k", {{Resource::registers, 300}, {Resource::dynamicStack, 1}}}});
}

TEST_CASE("An hsaco without kernels tells of none") {
  CHECK(kernelsOf(sampleHsaco("\x81" + packedText("amdhsa.kernels") + "\x90")).empty());
}

TEST_CASE("An hsaco without metadata is refused") {
  CHECK(problemOf(sampleElf(224, {})) == "has no AMDGPU metadata");
  auto notes = sampleNote(std::string_view("AMDGPU\0", 7), 10, "older") + "\1";
  CHECK(problemOf(sampleElf(224, {{".note", kNotes, notes}})) == "has no AMDGPU metadata");
  std::string endless(12, '\xff');
  CHECK(problemOf(sampleElf(224, {{".note", kNotes, endless}})) == "has no AMDGPU metadata");
}

TEST_CASE("Metadata that is cut off, or is not what its keys promise, is refused") {
  auto metadata = sampleMetadata();
  for (std::size_t length = 0; length < metadata.size(); ++length) {
    if (readResources(asBytes(sampleHsaco(metadata.substr(0, length))))) FAIL("accepted at " << length);
  }
  auto kernel = [](const std::string& pair) {
    return problemOf(sampleHsaco("\x81" + packedText("amdhsa.kernels") + "\x91\x81" + pair));
  };
  CHECK(kernel(packedText(".vgpr_count") + packedText("many")) == "has malformed AMDGPU metadata");
  CHECK(kernel(packedText(".vgpr_count") + std::string("\xcf\0\0\0\1\0\0\0\0", 9)) ==
        "has malformed AMDGPU metadata");
  CHECK(kernel(packedText(".name") + "\x01") == "has malformed AMDGPU metadata");
}
