"""HIP by hiprtc."""

import re
import subprocess
import sys

from harness import DEADLINE, ROOT, ReferenceResult, hiprtc_library
from kernels import SAXPY, TEMPLATE, Kernel, slow
from subject import HEADER, Subject, stand_in

DIRECT = ROOT / "tests/reference/hiprtc_direct.py"
HSACO = ("hsaco",)
USES_V = '#include <v.h>\nextern "C" __global__ void k(int* x) { *x = V; }\n'
HEADERS = {"early/other.h": "", "late/v.h": HEADER}
TIMES = """
__device__ const char text[] = __DATE__ __TIME__;
extern "C" __global__ void k(char* x) { *x = text[threadIdx.x]; }
"""
NESTED = {
    "include/outer/a.h": '#pragma once\n#include "inner/b.h"\n#define A 2\n',
    "include/outer/inner/b.h": '#pragma once\n#include "../../c.h"\n#include <outer/a.h>\n#define B 3\n',
    "include/c.h": "#define C 4\n#warning in a header\n",
}
IN_MEMORY = {"factor.h": "#define FACTOR 2.5f\n", "deep/limit.h": '#include "factor.h"\n#define LIMIT 17\n'}


NAMED = {"inc/named.h": "__device__ const char name[] = __FILE__;\n"}
USES_NAME = '#include <named.h>\nextern "C" __global__ void k(char* x) { *x = name[threadIdx.x]; }\n'


def named_as_asked(log, source):
    """hiprtc writes source and headers into a directory with a random name, and tells of them there."""
    log = re.sub(rb"/tmp/comgr-[0-9a-f]{6}/input/CompileSource", source.encode(), log)
    return re.sub(rb"/tmp/comgr-[0-9a-f]{6}/include/", b"", log)


def call_directly(subject, folder, source, kernel, target):
    places = folder.parent / "direct"
    places.mkdir(exist_ok=True)
    arguments = [source, places / "hsaco", places / "log"]
    for number, (name, content) in enumerate(kernel.headers.items()):
        (places / f"header{number}").write_text(content)
        arguments += ["--header", f"{name}={places / f'header{number}'}"]
    # hiprtc's output hangs on their order, and kiln hands them over sorted.
    expressions = sorted(kernel.name_expressions)
    for expression in expressions:
        arguments += ["--name-expression", expression]
    arguments += [f"--gpu-architecture={target}", *(f"-I{directory}" for directory in kernel.include_directories())]
    command = [sys.executable, DIRECT, subject.library, *arguments, *kernel.options]
    result = subprocess.run(command, cwd=folder, timeout=DEADLINE, stdout=subprocess.PIPE, text=True)
    assert result.returncode in (0, 1)
    log = named_as_asked((places / "log").read_bytes(), source)
    if result.returncode == 1:
        return ReferenceResult(False, {}, log, {})
    names = dict(zip(expressions, result.stdout.splitlines(), strict=True))
    return ReferenceResult(True, {"hsaco": (places / "hsaco").read_bytes()}, log, names)


PLAIN = Kernel("plain", SAXPY, outputs=HSACO)
WARNED = Kernel("warning", f"#warning hello\n{SAXPY}", outputs=HSACO, log_holds="hello")
BROKEN = Kernel("error", SAXPY.replace("* x[i]", "* z[i]"), outputs=HSACO, compiles=False, log_holds="'z'")
TEMPLATES = Kernel(
    "template", TEMPLATE, outputs=HSACO, name_expressions=("scale<3, float>", "&scale<4, double>", "inner::plain")
)
OPTIONS = (("-O0",), ("-O2", "-DX=1"), ("-std=c++14",), ("-mcode-object-version=5",), ("-munsafe-fp-atomics",))
KERNELS = (
    PLAIN,
    WARNED,
    BROKEN,
    TEMPLATES,
    Kernel(
        "headers_in_memory",
        '#include "factor.h"\n#include <deep/limit.h>\n'
        'extern "C" __global__ void k(float* x) { if (threadIdx.x < LIMIT) x[threadIdx.x] *= FACTOR; }\n',
        headers=IN_MEMORY,
        outputs=HSACO,
    ),
    Kernel(
        "headers_on_disk",
        '#include <outer/a.h>\nextern "C" __global__ void k(float* x) { x[0] = A + B + C; }\n',
        files=NESTED,
        includes=("missing", "include"),
        outputs=HSACO,
        log_holds="in a header",
    ),
    Kernel("device_libraries", 'extern "C" __global__ void k(float* x) { *x = sinf(*x) + erff(*x); }\n', outputs=HSACO),
    Kernel("prints", 'extern "C" __global__ void k(int x) { printf("%d", x); }\n', outputs=HSACO),
    *(Kernel(" ".join(options), SAXPY, options, outputs=HSACO) for options in OPTIONS),
)

SUBJECTS = [
    Subject(
        frontend="hiprtc",
        version="5.2",
        library=hiprtc_library(),
        misbehaving=stand_in("misbehaving_hiprtc/libhiprtc.so.13.99"),
        call_directly=call_directly,
        language="hip",
        other_language="cuda",
        extension="hip",
        comment="//",
        output="hsaco",
        other_output="bitcode",
        targets=("gfx90a", "gfx1030", "gfx90a:sramecc+:xnack-", "gfx906:xnack+"),
        unknown_targets=("gfx942", "gfx1030:xnack+", "sm_90"),
        refused_option="-ftime-report",
        byte_changing_option="-O0",
        slow=slow,
        # Neither is cuda compiled for this target, nor has this version bitcode.
        refused_fields=frozenset({"language", "outputs", "inputs", "names.inputs", "virtualArchitecture"}),
        kernels=KERNELS,
        plain=PLAIN,
        variant=Kernel("variant", SAXPY.replace("y[i];", "y[i] + 1;"), outputs=HSACO),
        warned=WARNED,
        broken=BROKEN,
        with_header=Kernel("header", USES_V, files=HEADERS, includes=("early", "late"), outputs=HSACO),
        with_header_in_memory=Kernel("header_in_memory", USES_V, headers={"v.h": HEADER}, outputs=HSACO),
        with_expressions=TEMPLATES,
        # What the source is called reaches no output: hiprtc compiles a copy, which has a name of its own.
        with_own_name=lambda folder: Kernel(
            "own_name", USES_NAME, files=NAMED, includes=(f"{folder}/inc",), outputs=HSACO
        ),
        with_clock=Kernel("clock", TIMES, outputs=HSACO),
    )
]
