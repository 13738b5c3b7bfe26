"""The kernels whose outputs are compared with NVRTC's own, each for one thing that could differ."""

import dataclasses

from harness import cuda_includes


@dataclasses.dataclass(frozen=True)
class Kernel:
    name: str
    source: str
    options: tuple = ()
    files: dict = dataclasses.field(default_factory=dict)  # path below the working directory to content
    includes: tuple = ()
    headers: dict = dataclasses.field(default_factory=dict)  # name to content, in memory only
    name_expressions: tuple = ()
    outputs: tuple = ("cubin",)
    needs_cuda_headers: bool = False
    compiles: bool = True
    log_holds: str = ""

    def __str__(self):
        return self.name

    def include_directories(self):
        return [*self.includes, *(cuda_includes() if self.needs_cuda_headers else [])]


SAXPY = """
extern "C" __global__ void saxpy(int n, float a, const float* x, float* y) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + y[i];
}
"""

TEMPLATE = """
template <int N, typename T>
__global__ void scale(T* x) { x[threadIdx.x] *= N; }
namespace inner { __global__ void plain(int* x) { *x += 1; } }
"""

BLOCK_REDUCE = """
#include <cub/block/block_reduce.cuh>
#include <cub/block/block_scan.cuh>
extern "C" __global__ void reduce(const float* in, float* out, int n) {
  using Reduce = cub::BlockReduce<float, 128>;
  __shared__ typename Reduce::TempStorage storage;
  int i = blockIdx.x * 128 + threadIdx.x;
  float sum = Reduce(storage).Sum(i < n ? in[i] : 0.0f);
  if (threadIdx.x == 0) out[blockIdx.x] = sum;
}
"""

KERNELS = (
    Kernel("plain", SAXPY),
    Kernel(
        "template",
        TEMPLATE,
        name_expressions=("scale<3, float>", "&scale<4, double>", "inner::plain"),
    ),
    Kernel(
        "headers_in_memory",
        '#include "factor.h"\n#include <deep/limit.h>\n'
        'extern "C" __global__ void k(float* x) { if (threadIdx.x < LIMIT) x[threadIdx.x] *= FACTOR; }\n',
        headers={"factor.h": "#define FACTOR 2.5f\n", "deep/limit.h": '#include "factor.h"\n#define LIMIT 17\n'},
    ),
    Kernel(
        "headers_on_disk",
        '#include "beside.h"\n#include <outer/a.h>\n'
        'extern "C" __global__ void k(float* x) { x[0] = BESIDE + A + B + C; }\n',
        files={
            "beside.h": "#define BESIDE 1\n",
            "include/outer/a.h": '#pragma once\n#include "inner/b.h"\n#define A 2\n',
            "include/outer/inner/b.h": '#pragma once\n#include "../../c.h"\n#include <outer/a.h>\n#define B 3\n',
            "include/c.h": "#define C 4\n",
        },
        includes=("missing", "include"),
    ),
    Kernel("cub", BLOCK_REDUCE, needs_cuda_headers=True),
    Kernel("line_information", SAXPY, options=("-lineinfo",)),
    Kernel("device_debug", SAXPY, options=("-G",)),
    Kernel(
        "relocatable",
        "extern __device__ float other(float);\n"
        'extern "C" __global__ void k(float* x) { x[threadIdx.x] = other(x[threadIdx.x]); }\n',
        options=("-rdc=true",),
    ),
    Kernel(
        "warning",
        'extern "C" __global__ void k(float* x) {\n  int unused = 3;\n  x[0] = 1;\n}\n',
        log_holds="unused",
    ),
    Kernel(
        "macros_and_fast_math",
        'extern "C" __global__ void k(float* x) { x[threadIdx.x] = FUNCTION(x[threadIdx.x]) / SCALE; }\n',
        options=("-DFUNCTION=sinf", "-D", "SCALE=3.0f", "--std=c++20", "--use_fast_math", "-maxrregcount=32"),
    ),
    Kernel("ptx_and_cubin", SAXPY, outputs=("cubin", "ptx")),
    Kernel("link_time_optimisation", SAXPY, options=("-dlto",), outputs=("ltoir",)),
    Kernel(
        "its_own_name",
        '__device__ const char name[] = __FILE__;\nextern "C" __global__ void k(char* x) { *x = name[threadIdx.x]; }\n',
    ),
    Kernel(
        "compile_error",
        'extern "C" __global__ void k(float* x) {\n  x[0] = nothing_of_that_name;\n}\n',
        compiles=False,
        log_holds="nothing_of_that_name",
    ),
    Kernel(
        "missing_header",
        '#include "not/there.h"\n',
        includes=("include",),
        compiles=False,
        log_holds="not/there.h",
    ),
)


def slow(count):
    """That many kernels that take some half a second each."""
    return "".join(
        f'extern "C" __global__ void k{number}(float* x) {{\n#pragma unroll\n'
        f"  for (int i = 0; i < 64; ++i) x[i] = sinf(x[i + {number}]) * x[i];\n}}\n"
        for number in range(count)
    )


def slow_below_sm_90(count):
    """The same, done at once for sm_90: so a recording takes no time, and a build for older processors does."""
    return f"#if __CUDA_ARCH__ < 900\n{slow(count)}#else\nextern \"C\" __global__ void k0(float*) {{}}\n#endif\n"


# Most of a minute of compiling: long enough to be found under way.
SLOW = slow(100)
