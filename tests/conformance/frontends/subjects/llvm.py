"""LLVM IR by LLVM 22, for AMD, NVIDIA and processors: held against opt, llc and ld.lld, which hold no code of kiln's."""

import dataclasses
import os
import pathlib
import subprocess

from harness import DEADLINE, ReferenceResult, linked_directly
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


def machine_of(triple, target):
    """How LLVM's tools are told of a target."""
    processor, *features = target.split(":")
    attributes = ",".join(feature[-1] + feature[:-1] for feature in features)
    return [f"-mtriple={triple}", f"-mcpu={processor}", *([f"-mattr={attributes}"] if features else [])]


def levels_of(kernel):
    return [option for option in kernel.options if option.startswith("-O")] or ["-O2"]


# What no language that LLVM ends has.
REFUSED_FIELDS = frozenset(
    {
        "headers",
        "names.includeDirectories",
        "nameExpressions",
        "outputs",
        "inputs",
        "names.inputs",
        "virtualArchitecture",
    }
)


def call_directly(subject, folder, source, kernel, target):
    machine = machine_of("amdgcn-amd-amdhsa", target)
    levels = levels_of(kernel)
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

AMD = Subject(
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
    refused_fields=REFUSED_FIELDS,
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

# ---- the same for NVIDIA: PTX, and what nvJitLink makes of it

NVIDIA_TRIPLE = "nvptx64-nvidia-cuda"
NVJITLINK = "12.9"  # the oldest of the daemon's
UNDISTRIBUTED = """
define ptx_kernel void @wait(ptr addrspace(1) %data) {
entry:
  br label %loop
loop:
  %now = load volatile i32, ptr addrspace(1) %data
  %more = icmp eq i32 %now, 0
  br i1 %more, label %loop, label %done, !llvm.loop !0
done:
  ret void
}
!0 = distinct !{!0, !1}
!1 = !{!"llvm.loop.distribute.enable", i1 true}
"""


def for_nvidia(source):
    return source.replace(HEAD, f'target triple = "{NVIDIA_TRIPLE}"\n').replace("amdgpu_kernel", "ptx_kernel")


def slow_on_nvidia(count):
    """As slow(), of what PTX has an instruction for."""
    return for_nvidia(slow(2 * count)).replace("llvm.sin.f32", "llvm.sqrt.f32")


def ptx_of(folder, places, kernel, target, optimised):
    """What llc makes of a module, or what nvJitLink makes of that if the sample wants a cubin."""
    machine = machine_of(NVIDIA_TRIPLE, target)
    options = [*levels_of(kernel), *machine, "--asm-verbose=0", "-o", places / "k.ptx"]
    generated = run(folder, "llc-22", *options, input=optimised.stdout)
    outputs = {"ptx": (places / "k.ptx").read_bytes()}
    if kernel.outputs == ("cubin",):
        outputs = {"cubin": linked_directly(places, NVJITLINK, "k.ptx", f"-arch={target}")[0]}
    log = optimised.stderr + generated.stderr
    return ReferenceResult(True, outputs, log, {})


def call_directly_for_nvidia(subject, folder, source, kernel, target):
    levels = levels_of(kernel)
    stated = [option for option in kernel.options if option.startswith("-passes=")]
    passes = stated or [f"-passes=default<{levels[0][1:]}>"]
    optimised = run(folder, "opt-22", *machine_of(NVIDIA_TRIPLE, target), *passes, source, "-o", "-")
    if optimised.returncode != 0:
        return ReferenceResult(False, {}, optimised.stderr.replace(b"opt-22: ", b"").removeprefix(b"opt: "), {})
    places = folder.parent / "direct"
    places.mkdir(exist_ok=True)
    return ptx_of(folder, places, kernel, target, optimised)


def as_ptx(kernel, **changes):
    return dataclasses.replace(kernel, **{"source": for_nvidia(kernel.source), "outputs": ("ptx",)} | changes)


PLAIN_PTX = as_ptx(PLAIN)
WARNED_PTX = as_ptx(WARNED, source=for_nvidia(SCALE) + UNDISTRIBUTED, log_holds="loop not distributed")

NVIDIA = dataclasses.replace(
    AMD,
    aspect="NVIDIA",
    call_directly=call_directly_for_nvidia,
    other_language="mlir",
    output="ptx",
    other_output="cubin",
    targets=("sm_90", "sm_80", "sm_90a", "sm_100f"),
    unknown_targets=("sm_99", "sm_119f"),
    slow=slow_on_nvidia,
    kernels=(
        PLAIN_PTX,
        WARNED_PTX,
        as_ptx(BROKEN),
        as_ptx(PLAIN, name="linked", outputs=("cubin",)),
        *(as_ptx(PLAIN, name=" ".join(options), options=options) for options in OPTIONS),
    ),
    plain=PLAIN_PTX,
    variant=as_ptx(AMD.variant),
    warned=WARNED_PTX,
    broken=as_ptx(BROKEN),
)

# ---- the same for processors

SHARED_OBJECT = ("shared-object",)
ADD = """define void @add(ptr %x, ptr %y, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %x_place = getelementptr float, ptr %x, i64 %i
  %y_place = getelementptr float, ptr %y, i64 %i
  %a = load float, ptr %x_place
  %b = load float, ptr %y_place
  %s = fadd float %a, %b
  store float %s, ptr %y_place
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}
"""


def slow_on_host(count):
    """As slow(), of what a processor computes."""
    source = slow(count).replace(HEAD, "").replace("amdgpu_kernel ", "").replace(" addrspace(1)", "")
    return source.replace("llvm.sin.f32", "llvm.sqrt.f32")


def call_directly_for_host(subject, folder, source, kernel, target):
    machine = machine_of("x86_64-unknown-linux-gnu", target)
    levels = levels_of(kernel)
    stated = [option for option in kernel.options if option.startswith("-passes=")]
    passes = stated or [f"-passes=default<{levels[0][1:]}>"]
    optimised = run(folder, "opt-22", "-S", *machine, *passes, source, "-o", "-")
    if optimised.returncode != 0:
        return ReferenceResult(False, {}, optimised.stderr.replace(b"opt-22: ", b"").removeprefix(b"opt: "), {})
    # A module that does not say what it was made of is called so by kiln, and by the name of its file by opt.
    named = optimised.stdout.replace(f'source_filename = "{source}"'.encode(), b'source_filename = "kernels"')
    places = folder.parent / "direct"
    places.mkdir(exist_ok=True)
    options = [*levels, *machine, "-relocation-model=pic", "-filetype=obj", "-o", places / "object"]
    generated = run(folder, "llc-22", *options, input=named)
    linking = ["-shared", "--no-undefined", "--build-id=none", places / "object", "-o", places / "so"]
    linked = run(folder, "ld.lld-22", *linking)
    log = optimised.stderr + generated.stderr + linked.stderr
    return ReferenceResult(True, {"shared-object": (places / "so").read_bytes()}, log, {})


def for_host(kernel, source):
    return dataclasses.replace(kernel, source=source, outputs=SHARED_OBJECT)


PLAIN_ON_HOST = for_host(PLAIN, ADD)
WARNED_ON_HOST = for_host(WARNED, ADD.replace("i64 %n) {", 'i64 %n) "warn-stack-size"="1" {').replace(
    "  br label %loop\nloop", "  %room = alloca [64 x float]\n  %place = getelementptr float, ptr %room, i64 %n\n"
    "  store volatile float 1.0, ptr %place\n  br label %loop\nloop"
))
BROKEN_ON_HOST = for_host(
    dataclasses.replace(BROKEN, log_holds="'%n'"), ADD.replace("i64 %n)", "i32 %n)")
)

HOST = dataclasses.replace(
    AMD,
    aspect="host",
    call_directly=call_directly_for_host,
    other_language="mlir",
    output="shared-object",
    targets=("x86-64-v3", "x86-64-v2"),
    unknown_targets=("core-avx2", "x86-64-v9"),
    slow=slow_on_host,
    kernels=(
        PLAIN_ON_HOST,
        WARNED_ON_HOST,
        BROKEN_ON_HOST,
        *(dataclasses.replace(PLAIN_ON_HOST, name=" ".join(options), options=options) for options in OPTIONS),
    ),
    plain=PLAIN_ON_HOST,
    variant=for_host(PLAIN, ADD.replace("fadd", "fmul")),
    warned=WARNED_ON_HOST,
    broken=BROKEN_ON_HOST,
)

SUBJECTS = [AMD, NVIDIA, HOST]
