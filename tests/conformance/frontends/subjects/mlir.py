"""MLIR by MLIR 22, for AMD, NVIDIA and processors: held against mlir-opt, mlir-translate, opt, llc and ld.lld, which hold no code of kiln's.

Of a gpu.module the default pipeline has no passes of kiln's own; tests/e2e/mlir_test.py has those."""

import dataclasses
import os
import pathlib
import re

from harness import ReferenceResult
from kernels import Kernel
from subject import Subject, stand_in
from subjects.llvm import HSACO, NVIDIA_TRIPLE, REFUSED_FIELDS, SHARED_OBJECT, levels_of, machine_of, ptx_of, run

DEFAULT = (
    "builtin.module(gpu.module(convert-vector-to-scf,expand-strided-metadata,lower-affine,convert-scf-to-cf,"
    "convert-vector-to-llvm,{convert},canonicalize,cse,reconcile-unrealized-casts))"
)
TO_ROCDL = "convert-gpu-to-rocdl{{chipset={} runtime=HIP use-bare-ptr-memref-call-conv=1}}"
TO_NVVM = "convert-gpu-to-nvvm{use-bare-ptr-memref-call-conv=1}"
HOST_DEFAULT = (
    "builtin.module(func.func(convert-linalg-to-loops,convert-vector-to-scf),expand-strided-metadata,lower-affine,"
    "convert-scf-to-cf,convert-vector-to-llvm,convert-math-to-llvm,convert-math-to-libm,finalize-memref-to-llvm,"
    "convert-arith-to-llvm,convert-index-to-llvm,convert-func-to-llvm{use-bare-ptr-memref-call-conv=1},"
    "convert-cf-to-llvm,reconcile-unrealized-casts,canonicalize,cse)"
)
STATED = "gpu.module(convert-gpu-to-rocdl{chipset=gfx90a},reconcile-unrealized-casts)"
# MLIR's idea of AMD's data layout is another than LLVM's.
LAYOUT = re.compile(rb'^target datalayout = .*\n', re.M)
SCALE = """module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @scale(%data: memref<256xf32>, %by: f32) kernel {
      %i = gpu.thread_id x
      %before = memref.load %data[%i] : memref<256xf32>
      %after = arith.mulf %before, %by : f32
      %half = arith.constant 0.5 : f32
      %more = arith.addf %after, %half : f32
      memref.store %more, %data[%i] : memref<256xf32>
      gpu.return
    }
  }
}
"""
WARNING = """module attributes {gpu.container_module} {
  gpu.module @kernels {
    llvm.func @scale(%data: !llvm.ptr) attributes {gpu.kernel, rocdl.kernel, passthrough = [["warn-stack-size", "1"]]} {
      %n = llvm.mlir.constant(64 : i32) : i32
      %one = llvm.mlir.constant(1.0 : f32) : f32
      %place = llvm.alloca %n x f32 : (i32) -> !llvm.ptr<5>
      llvm.store volatile %one, %place : f32, !llvm.ptr<5>
      llvm.return
    }
  }
}
"""
# The gpu.module, up to its operations; attributes that have names stand before it.
HEADING = re.compile(rb"(?s)\bmodule\b.*?gpu\.module @kernels(?: attributes)? *(?:\{llvm[^}]*\})? *\{")


def slow(count, steps=300):
    """Long chains of instructions without a loop to find, nor a call of a device library."""
    chain = "".join(
        f"      %s{i} = arith.divf %v{i}, %v{i // 3} : f32\n      %v{i + 1} = arith.addf %s{i}, %v{max(0, i - 37)} : f32\n"
        for i in range(steps)
    )
    kernels = "".join(
        f"    gpu.func @k{number}(%p: memref<256xf32>) kernel {{\n      %i = gpu.thread_id x\n"
        f"      %v0 = memref.load %p[%i] : memref<256xf32>\n{chain}"
        f"      memref.store %v{steps}, %p[%i] : memref<256xf32>\n      gpu.return\n    }}\n"
        for number in range(count)
    )
    return f"module attributes {{gpu.container_module}} {{\n  gpu.module @kernels {{\n{kernels}  }}\n}}\n"


def lowered_directly(folder, source, kernel, default):
    """The process of mlir-opt, which has ended."""
    stated = [option.removeprefix("pipeline=") for option in kernel.options if option.startswith("pipeline=")]
    whole = [text if text.startswith("builtin.module(") else f"builtin.module({text})" for text in stated]
    return run(folder, "mlir-opt-22", f"--pass-pipeline={whole[0] if whole else default}", source)


def kernels_in(module):
    """The operations of its gpu.module, as a module."""
    kernels = HEADING.sub(b"module {", module, count=1).rstrip()
    return kernels[: kernels.rfind(b"}")]


def optimised_directly(folder, module, kernel, machine):
    """The process of opt, which has ended, for what MLIR has lowered."""
    translated = run(folder, "mlir-translate-22", "--mlir-to-llvmir", "-", input=module)
    assert translated.returncode == 0, translated.stderr
    # kiln's name for a module, which reaches the symbols of an object.
    named = LAYOUT.sub(b"", translated.stdout).replace(b'source_filename = "LLVMDialectModule"', b'source_filename = "kernels"')
    passes = f"-passes=default<{levels_of(kernel)[0][1:]}>"
    return run(folder, "opt-22", *machine, passes, "-o", "-", "-", input=named)


def linked_by_lld(folder, kernel, machine, optimised):
    """The bytes, and what llc had to say."""
    places = folder.parent / "direct"
    places.mkdir(exist_ok=True)
    options = [*levels_of(kernel), *machine, "-relocation-model=pic", "-filetype=obj", "-o", places / "object"]
    generated = run(folder, "llc-22", *options, input=optimised.stdout)
    linking = ["-shared", "--no-undefined", "--build-id=none", places / "object", "-o", places / "linked"]
    run(folder, "ld.lld-22", *linking)
    return (places / "linked").read_bytes(), generated.stderr


def call_directly(subject, folder, source, kernel, target):
    lowered = lowered_directly(folder, source, kernel, DEFAULT.format(convert=TO_ROCDL.format(target.partition(":")[0])))
    if lowered.returncode != 0:
        return ReferenceResult(False, {}, lowered.stderr, {})
    machine = machine_of("amdgcn-amd-amdhsa", target)
    optimised = optimised_directly(folder, kernels_in(lowered.stdout), kernel, machine)
    hsaco, said = linked_by_lld(folder, kernel, [*machine, "--amdhsa-code-object-version=5"], optimised)
    return ReferenceResult(True, {"hsaco": hsaco}, lowered.stderr + said, {})


def call_directly_for_nvidia(subject, folder, source, kernel, target):
    lowered = lowered_directly(folder, source, kernel, DEFAULT.format(convert=TO_NVVM))
    if lowered.returncode != 0:
        return ReferenceResult(False, {}, lowered.stderr, {})
    optimised = optimised_directly(folder, kernels_in(lowered.stdout), kernel, machine_of(NVIDIA_TRIPLE, target))
    places = folder.parent / "direct"
    places.mkdir(exist_ok=True)
    made = ptx_of(folder, places, kernel, target, optimised)
    return dataclasses.replace(made, log=lowered.stderr + made.log)


def call_directly_for_host(subject, folder, source, kernel, target):
    lowered = lowered_directly(folder, source, kernel, HOST_DEFAULT)
    if lowered.returncode != 0:
        return ReferenceResult(False, {}, lowered.stderr, {})
    machine = machine_of("x86_64-unknown-linux-gnu", target)
    shared_object, said = linked_by_lld(folder, kernel, machine, optimised_directly(folder, lowered.stdout, kernel, machine))
    return ReferenceResult(True, {"shared-object": shared_object}, lowered.stderr + said, {})


PLAIN = Kernel("plain", SCALE, outputs=HSACO)
WARNED = Kernel("warning", WARNING, outputs=HSACO, log_holds="exceeds limit")
BROKEN = Kernel(
    "error",
    SCALE.replace("%before, %by", "%before, %missing"),
    outputs=HSACO,
    compiles=False,
    log_holds="use of undeclared SSA value name",
)
OPTIONS = (("-O0",), ("-O1",), ("-O3",), (f"pipeline={STATED}",), ("-O1", f"pipeline=builtin.module({STATED})"))

AMD = Subject(
    frontend="mlir",
    version="22.1",
    library=pathlib.Path(os.environ["KILN_TEST_BIN_DIR"]) / "kiln-compiler-mlir",
    misbehaving=stand_in("misbehaving_mlir/kiln-compiler-mlir"),
    call_directly=call_directly,
    language="mlir",
    other_language="llvm-ir",
    extension="mlir",
    comment="//",
    output="hsaco",
    other_output="bitcode",
    targets=("gfx90a", "gfx942", "gfx1030", "gfx90a:sramecc+:xnack-"),
    unknown_targets=("gfx1030:xnack+", "gfx99"),
    refused_option="pipeline=builtin.module(print-ir)",
    byte_changing_option="-O0",
    slow=slow,
    refused_fields=REFUSED_FIELDS,
    kernels=(PLAIN, WARNED, BROKEN, *(Kernel(" ".join(options), SCALE, options, outputs=HSACO) for options in OPTIONS)),
    plain=PLAIN,
    variant=Kernel("variant", SCALE.replace("arith.mulf", "arith.divf"), outputs=HSACO),
    warned=WARNED,
    broken=BROKEN,
)

# ---- the same for NVIDIA

NVIDIA_STATED = "gpu.module(convert-gpu-to-nvvm,reconcile-unrealized-casts)"
UNDISTRIBUTED = """    llvm.func @wait(%data: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      llvm.br ^loop
    ^loop:
      %more = llvm.load volatile %data : !llvm.ptr -> i1
      llvm.cond_br %more, ^loop, ^done {loop_annotation = #llvm.loop_annotation<distribute = <disable = false>>}
    ^done:
      llvm.return
    }
"""


def as_ptx(kernel, **changes):
    return dataclasses.replace(kernel, **{"outputs": ("ptx",)} | changes)


PLAIN_PTX = as_ptx(PLAIN)
WARNED_PTX = as_ptx(
    WARNED, source=SCALE.replace("    gpu.func", UNDISTRIBUTED + "    gpu.func"), log_holds="loop not distributed"
)

NVIDIA = dataclasses.replace(
    AMD,
    aspect="NVIDIA",
    call_directly=call_directly_for_nvidia,
    output="ptx",
    other_output="cubin",
    targets=("sm_90", "sm_80", "sm_90a", "sm_100f"),
    unknown_targets=("sm_99", "sm_119f"),
    slow=lambda count: slow(count, 1000),
    kernels=(
        PLAIN_PTX,
        WARNED_PTX,
        as_ptx(BROKEN),
        as_ptx(PLAIN, name="linked", outputs=("cubin",)),
        *(as_ptx(PLAIN, name=" ".join(options), options=options) for options in OPTIONS[:3]),
        as_ptx(PLAIN, name="stated", options=(f"pipeline={NVIDIA_STATED}",)),
    ),
    plain=PLAIN_PTX,
    variant=as_ptx(AMD.variant),
    warned=WARNED_PTX,
    broken=as_ptx(BROKEN),
)

# ---- the same for processors

ADD = """func.func @add(%x: memref<256xf32>, %y: memref<256xf32>) {
  linalg.map ins(%x, %y : memref<256xf32>, memref<256xf32>) outs(%y : memref<256xf32>)
      (%a: f32, %b: f32, %before: f32) {
    %sum = arith.addf %a, %b : f32
    linalg.yield %sum : f32
  }
  return
}
"""
LARGE_FRAME = """llvm.func @fill(%n: i64) attributes {passthrough = [["warn-stack-size", "1"]]} {
  %size = llvm.mlir.constant(64 : i32) : i32
  %one = llvm.mlir.constant(1.0 : f32) : f32
  %room = llvm.alloca %size x f32 : (i32) -> !llvm.ptr
  %place = llvm.getelementptr %room[%n] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  llvm.store volatile %one, %place : f32, !llvm.ptr
  llvm.return
}
"""
HOST_STATED = HOST_DEFAULT.removeprefix("builtin.module(").removesuffix(",canonicalize,cse)")


def slow_on_host(count):
    """As slow(), of what a processor computes."""
    steps = "".join(
        f"  %s{i} = math.sqrt %v{i} : f32\n  %v{i + 1} = math.fma %s{i}, %v{max(0, i - 37)}, %v{i // 2} : f32\n"
        for i in range(700)
    )
    return "".join(
        f"func.func @k{number}(%p: memref<1xf32>) {{\n  %i = arith.constant 0 : index\n"
        f"  %v0 = memref.load %p[%i] : memref<1xf32>\n{steps}"
        "  memref.store %v700, %p[%i] : memref<1xf32>\n  return\n}\n"
        for number in range(count)
    )


def for_host(kernel, source, **changes):
    return dataclasses.replace(kernel, source=source, outputs=SHARED_OBJECT, **changes)


PLAIN_ON_HOST = for_host(PLAIN, ADD)
WARNED_ON_HOST = for_host(WARNED, ADD + LARGE_FRAME)
BROKEN_ON_HOST = for_host(BROKEN, ADD.replace("%a, %b :", "%a, %missing :"))

HOST = dataclasses.replace(
    AMD,
    aspect="host",
    call_directly=call_directly_for_host,
    output="shared-object",
    targets=("x86-64-v3", "x86-64-v2"),
    unknown_targets=("core-avx2", "x86-64-v9"),
    slow=slow_on_host,
    kernels=(
        PLAIN_ON_HOST,
        WARNED_ON_HOST,
        BROKEN_ON_HOST,
        *(for_host(PLAIN, ADD, name=" ".join(options), options=options) for options in OPTIONS[:3]),
        for_host(PLAIN, ADD, name="stated", options=(f"pipeline={HOST_STATED}",)),
    ),
    plain=PLAIN_ON_HOST,
    variant=for_host(PLAIN, ADD.replace("addf", "mulf")),
    warned=WARNED_ON_HOST,
    broken=BROKEN_ON_HOST,
)

SUBJECTS = [AMD, NVIDIA, HOST]
