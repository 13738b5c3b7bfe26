// Cubins of NVRTC 13.0 (ELF ABI version 8) and 12.9 (version 7, and 8 for Blackwell), and some that no
// compiler writes. End-to-end tests hold the figures against cuobjdump's.
#include "jit/binary/cubin.h"

#include <catch2/catch.hpp>

#include "jit/binary/resources.h"
#include "real_binaries.h"
#include "tests/support/sample_binaries.h"

using namespace kiln;
using namespace kiln::binary;
using namespace kiln::test;

namespace {

constexpr std::string_view kKernels = R"(
extern "C" __global__ void __launch_bounds__(96) tiles(float* x) {
  __shared__ float tile[512];
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = tile[511 - threadIdx.x];
}
extern "C" __global__ void spills(float* x) {
  float a[64];
#pragma unroll
  for (int i = 0; i < 64; i++) a[i] = x[i * threadIdx.x];
  for (int k = 0; k < x[0]; k++) {
#pragma unroll
    for (int i = 0; i < 64; i++) a[i] = a[i] * a[(i + 1) % 64] + a[(i + 17) % 64];
  }
#pragma unroll
  for (int i = 0; i < 64; i++) x[i * threadIdx.x] = a[i];
}
__device__ __noinline__ int depth(int n) { return n > 0 ? depth(n - 1) + 1 : 0; }
extern "C" __global__ void recursive(int* x) { x[0] = depth(x[1]); }
)";

using Figures = std::map<Resource, std::uint32_t>;

std::map<std::string, Figures> figuresOf(const std::string& cubin) {
  auto kernels = readResources(asBytes(cubin));
  INFO((kernels ? "" : kernels.error().what));
  REQUIRE(kernels);
  std::map<std::string, Figures> figures;
  for (auto& kernel : *kernels) figures[kernel.kernel] = kernel.figures;
  return figures;
}

std::string problemOf(const std::string& cubin) {
  auto kernels = readResources(asBytes(cubin));
  REQUIRE_FALSE(kernels);
  return kernels.error().what;
}

}  // namespace

TEST_CASE("Cubins of every ABI version tell of each of their kernels, and of nothing else") {
  using Nvrtc = RealCompilers::Nvrtc;
  auto [nvrtc, target] = GENERATE(table<Nvrtc, const char*>({{Nvrtc::older, "sm_75"},
                                                             {Nvrtc::older, "sm_120"},
                                                             {Nvrtc::current, "sm_75"},
                                                             {Nvrtc::current, "sm_90a"},
                                                             {Nvrtc::current, "sm_120"}}));
  CAPTURE(target);
  RealCompilers compilers;
  auto cubin = compilers.cubin(kKernels, std::string("-G -maxrregcount=32 -arch=") + target, nvrtc);
  auto figures = figuresOf(cubin);
  REQUIRE(figures.size() == 3);
  CHECK(figures["tiles"][Resource::maxThreads] == 96);
  CHECK(figures["tiles"][Resource::sharedBytes] >= 2048);
  CHECK(figures["spills"][Resource::registers] <= 32);
  CHECK(figures["spills"][Resource::stackBytes] >= 256);
  CHECK(figures["spills"].count(Resource::maxThreads) == 0);
  CHECK(figures["spills"][Resource::dynamicStack] == 0);
  CHECK(figures["recursive"][Resource::dynamicStack] == 1);
  CHECK(figures["recursive"].count(Resource::stackBytes) == 0);
}

TEST_CASE("A kernel that spills tells its spilling instructions, another does not tell of any") {
  RealCompilers compilers;
  auto figures = figuresOf(compilers.cubin(kKernels, "-maxrregcount=32 -arch=sm_90"));
  CHECK(figures["spills"][Resource::spillInstructions] > 100);
  CHECK(figures["tiles"].count(Resource::spillInstructions) == 0);
  figures = figuresOf(compilers.cubin(kKernels, "-arch=sm_90"));
  CHECK(figures["spills"].count(Resource::spillInstructions) == 0);
}

TEST_CASE("A relocatable cubin does not tell the stack that its kernels need once it is linked") {
  RealCompilers compilers;
  auto figures = figuresOf(compilers.cubin(kKernels, "-rdc=true -arch=sm_90"));
  REQUIRE(figures.size() == 3);
  CHECK(figures["tiles"][Resource::registers] > 0);
  CHECK(figures["tiles"].count(Resource::stackBytes) == 0);
  CHECK(figures["tiles"].count(Resource::dynamicStack) == 0);
}

TEST_CASE("A real cubin that is cut off anywhere is refused, or read as a whole") {
  auto target = GENERATE("sm_75", "sm_120");
  RealCompilers compilers;
  auto cubin = compilers.cubin(kKernels, std::string("-arch=") + target);
  auto whole = readResources(asBytes(cubin)).value();
  // The program headers are behind the section headers: a cubin that lacks only these tells all.
  auto headers = numberAt<std::uint64_t>(asBytes(cubin), 40);
  auto end = headers + numberAt<std::uint16_t>(asBytes(cubin), 60) * 64u;
  for (std::size_t length = 0; length < cubin.size(); ++length) {
    auto cut = readResources(asBytes(cubin).first(length));
    if (cut.has_value() != (length >= end)) FAIL("wrong at " << length << " of " << cubin.size());
    if (cut && *cut != whole) FAIL("other figures at " << length);
  }
}

TEST_CASE("The figures are those of the kernel's own attributes and sections") {
  auto figures = figuresOf(sampleCubin());
  REQUIRE(figures.size() == 1);
  CHECK(figures["k"] == Figures{{Resource::registers, 40},
                                {Resource::spillInstructions, 2},
                                {Resource::sharedBytes, 2048},
                                {Resource::localBytes, 0},
                                {Resource::stackBytes, 96},
                                {Resource::constantBytes, 16},
                                {Resource::maxThreads, 256},
                                {Resource::dynamicStack, 0}});
}

TEST_CASE("Memory of every kind is counted") {
  auto figures = figuresOf(sampleCubin("", {{".nv.local.k", 8, "", 0, 24},
                                            {".nv.constant2.k", 1, "1234"},
                                            {".nv.constant3", 1, "12345678"},
                                            {".nv.shared.f", 8, "", 0, 512},
                                            {".nv.shared.reserved.0", 8, "", 0, 64}}));
  CHECK(figures["k"][Resource::localBytes] == 24);
  CHECK(figures["k"][Resource::constantBytes] == 20);
  CHECK(figures["k"][Resource::sharedBytes] == 2048);
}

TEST_CASE("A required number of threads is the largest too") {
  CHECK(figuresOf(sampleCubin(sampleAttribute(0x10, {16, 2, 1})))["k"][Resource::maxThreads] == 32);
}

TEST_CASE("What cannot be counted is not told") {
  auto threads = sampleAttribute(0x05, {0x10000, 0x10000, 1});
  CHECK(figuresOf(sampleCubin(threads))["k"].count(Resource::maxThreads) == 0);
  auto otherAnnotation = sampleAttribute(0x55, {1, 0x90, 2, 0x130, 5});
  CHECK(figuresOf(sampleCubin(otherAnnotation))["k"].count(Resource::spillInstructions) == 0);
}

TEST_CASE("Attributes that do not end where their section ends are refused") {
  CHECK(problemOf(sampleCubin("\x04\x05\x0c")) == "has a malformed section '.nv.info.k'");
  CHECK(problemOf(sampleCubin(std::string("\x04\x05\xff\x00", 4))) == "has a malformed section '.nv.info.k'");
  CHECK(problemOf(sampleCubin(std::string("\x05\x05\x00\x00", 4))) == "has a malformed section '.nv.info.k'");
}

TEST_CASE("Memory of a size that there cannot be is refused") {
  CHECK(problemOf(sampleCubin("", {{".nv.local.k", 8, "", 0, 1ull << 32}})) ==
        "has a malformed section '.nv.local.k'");
  CHECK(problemOf(sampleCubin("", {{".nv.constant1.k", 8, "", 0, 0xfffffff0}})) ==
        "has a malformed section '.nv.constant1.k'");
}

TEST_CASE("A cubin without symbols is refused") {
  CHECK(problemOf(sampleElf(190, {})) == "has no symbol table");
}
