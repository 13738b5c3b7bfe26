"""LLVM IR by LLVM 22, for AMD: held against opt, llc and ld.lld, which hold no code of kiln's."""

import os
import pathlib
import subprocess

from harness import DEADLINE, ReferenceResult
from kernels import Kernel
from subject import Subject, stand_in

HSACO = ("hsaco",)
HEAD = 'target triple = "amdgcn-amd-amdhsa"\n'
SCALE = (
    HEAD
    + """define amdgpu_kernel void @scale(ptr addrspace(1) %data, float %by) {
  %before = load float, ptr addrspace(1) %data
  %after = fmul float %before, %by
  %more = fmul float %after, 1.5
  store float %more, ptr addrspace(1) %data
  ret void
}
"""
)
# Two names of which neither reaches the output: the module's own, and that of its file.
NAMED = 'source_filename = "named.c"\n' + SCALE
WARNING = (
    HEAD
    + """define amdgpu_kernel void @scale(ptr addrspace(1) %data) "warn-stack-size"="1" {
  %place = alloca [64 x float], addrspace(5)
  store volatile float 1.0, ptr addrspace(5) %place
  ret void
}
"""
)
OPTIONS = (("-O0",), ("-O1",), ("-O3",), ("-passes=mem2reg,instcombine",), ("-O0", "-passes=instcombine"))


def slow(count):
    """Long chains of instructions without a loop to find."""
    steps = "".join(
        f"  %s{i} = call float @llvm.sin.f32(float %v{i})\n"
        f"  %v{i + 1} = call float @llvm.fma.f32(float %s{i}, float %v{max(0, i - 37)}, float %v{i // 2})\n"
        for i in range(700)
    )
    kernels = "".join(
        f"define amdgpu_kernel void @k{number}(ptr addrspace(1) %p) {{\n  %v0 = load float, ptr addrspace(1) %p\n"
        f"{steps}  store float %v700, ptr addrspace(1) %p\n  ret void\n}}\n"
        for number in range(count)
    )
    declared = "declare float @llvm.sin.f32(float)\ndeclare float @llvm.fma.f32(float, float, float)\n"
    return HEAD + kernels + declared


def run(folder, *command, input=None):
    return subprocess.run(list(map(str, command)), cwd=folder, input=input, capture_output=True, timeout=DEADLINE)


def call_directly(subject, folder, source, kernel, target):
    processor, *features = target.split(":")
    machine = ["-mtriple=amdgcn-amd-amdhsa", f"-mcpu={processor}"]
    if features:
        machine.append("-mattr=" + ",".join(feature[-1] + feature[:-1] for feature in features))
    levels = [option for option in kernel.options if option.startswith("-O")] or ["-O2"]
    passes = [option for option in kernel.options if option.startswith("-passes=")] or [
        f"-passes=default<{levels[0][1:]}>"
    ]
    optimised = run(folder, "opt-22", *machine, *passes, source, "-o", "-")
    if optimised.returncode != 0:
        return ReferenceResult(False, {}, optimised.stderr.replace(b"opt-22: ", b"").removeprefix(b"opt: "), {})
    places = folder.parent / "direct"
    places.mkdir(exist_ok=True)
    generated = run(
        folder,
        "llc-22",
        *levels,
        *machine,
        "-relocation-model=pic",
        "--amdhsa-code-object-version=5",
        "-filetype=obj",
        "-o",
        places / "object",
        input=optimised.stdout,
    )
    linked = run(
        folder, "ld.lld-22", "-shared", "--no-undefined", "--build-id=none", places / "object", "-o", places / "hsaco"
    )
    log = optimised.stderr + generated.stderr + linked.stderr
    return ReferenceResult(True, {"hsaco": (places / "hsaco").read_bytes()}, log, {})


PLAIN = Kernel("plain", SCALE, outputs=HSACO)
WARNED = Kernel("warning", WARNING, outputs=HSACO, log_holds="exceeds limit")
BROKEN = Kernel("error", SCALE.replace("float %by)", "i32 %by)"), outputs=HSACO, compiles=False, log_holds="'%by'")

SUBJECTS = [
    Subject(
        frontend="llvm",
        version="22.1",
        library=pathlib.Path(os.environ["KILN_TEST_BIN_DIR"]) / "kiln-compiler-llvm",
        misbehaving=stand_in("misbehaving_llvm/kiln-compiler-llvm"),
        call_directly=call_directly,
        language="llvm-ir",
        other_language="hip",
        extension="ll",
        comment=";",
        output="hsaco",
        other_output="bitcode",
        targets=("gfx90a", "gfx942", "gfx1030", "gfx1100", "gfx90a:sramecc+:xnack-"),
        unknown_targets=("gfx1030:xnack+", "gfx99"),
        refused_option="-passes=print<domtree>",
        byte_changing_option="-O0",
        slow=slow,
        refused_fields=frozenset(
            {
                "headers",
                "names.includeDirectories",
                "nameExpressions",
                "outputs",
                "inputs",
                "names.inputs",
                "virtualArchitecture",
            }
        ),
        kernels=(
            PLAIN,
            WARNED,
            BROKEN,
            Kernel("named", NAMED, outputs=HSACO),
            *(Kernel(" ".join(options), SCALE, options, outputs=HSACO) for options in OPTIONS),
        ),
        plain=PLAIN,
        variant=Kernel("variant", SCALE.replace("fmul float %after", "fadd float %after"), outputs=HSACO),
        warned=WARNED,
        broken=BROKEN,
    )
]
