"""CUDA C++ by NVRTC."""

from harness import Reference, nvrtc_library
from kernels import KERNELS, SAXPY, Kernel, slow
from subject import HEADER, Subject, stand_in

BY_NAME = {kernel.name: kernel for kernel in KERNELS}
USES_V = '#include <v.h>\nextern "C" __global__ void k(int* x) { *x = V; }\n'
HEADERS = {"early/other.h": "", "late/v.h": HEADER}
TIMES = """
__device__ const char text[] = __DATE__ __TIME__;
extern "C" __global__ void k(char* x) { *x = text[threadIdx.x]; }
"""


def call_directly(subject, folder, source, kernel, target):
    headers = []
    for number, (name, content) in enumerate(kernel.headers.items()):
        headers.append((name, folder.parent / f"direct{number}.h"))
        headers[-1][1].write_text(content)
    options = [f"-arch={target}", *(f"-I{directory}" for directory in kernel.include_directories()), *kernel.options]
    return Reference(folder).compile(
        subject.version, source, options, kernel.outputs, headers, kernel.name_expressions
    )


def nvrtc(version):
    # The installed CUB is the newest toolchain's.
    kernels = tuple(kernel for kernel in KERNELS if version == "13.0" or not kernel.needs_cuda_headers)
    return Subject(
        frontend="nvrtc",
        version=version,
        library=nvrtc_library(version),
        misbehaving=stand_in("misbehaving_nvrtc/libnvrtc.so.13"),
        call_directly=call_directly,
        language="cuda",
        other_language="ptx",
        extension="cu",
        comment="//",
        output="cubin",
        other_output="ptx",
        targets=("sm_90", "sm_80", "sm_90a", "sm_100f"),
        unknown_targets=("sm_10", "sm_119f"),
        refused_option="--time=time.csv",
        byte_changing_option="-G",
        slow=slow,
        refused_fields=frozenset({"inputs", "names.inputs"}),
        kernels=kernels,
        plain=BY_NAME["plain"],
        variant=Kernel("variant", SAXPY.replace("y[i];", "y[i] + 1;")),
        warned=BY_NAME["warning"],
        broken=BY_NAME["compile_error"],
        with_header=Kernel("header", USES_V, files=HEADERS, includes=("early", "late")),
        with_header_in_memory=Kernel("header_in_memory", USES_V, headers={"v.h": HEADER}),
        with_expressions=BY_NAME["template"],
        with_own_name=lambda _: BY_NAME["its_own_name"],
        with_clock=Kernel("clock", TIMES),
    )


SUBJECTS = [nvrtc("13.0"), nvrtc("12.9")]
