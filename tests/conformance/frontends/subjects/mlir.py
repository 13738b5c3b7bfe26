"""MLIR by MLIR 22, for AMD: held against mlir-opt, mlir-translate, opt, llc and ld.lld, which hold no code of kiln's.

Of a gpu.module the default pipeline has no passes of kiln's own; tests/e2e/mlir_test.py has those."""

import os
import pathlib
import re

from harness import ReferenceResult
from kernels import Kernel
from subject import Subject, stand_in
from subjects.llvm import HSACO, REFUSED_FIELDS, levels_of, machine_of, run

DEFAULT = (
    "builtin.module(gpu.module(convert-vector-to-scf,expand-strided-metadata,lower-affine,convert-scf-to-cf,"
    "convert-vector-to-llvm,convert-gpu-to-rocdl{{chipset={chip} runtime=HIP use-bare-ptr-memref-call-conv=1}},"
    "canonicalize,cse,reconcile-unrealized-casts))"
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
# The gpu.module, up to its operations.
HEADING = re.compile(rb"(?s)^.*?gpu\.module @kernels(?: attributes)? *(?:\{llvm[^}]*\})? *\{")


def slow(count):
    """Long chains of instructions without a loop to find."""
    steps = "".join(
        f"      %s{i} = arith.divf %v{i}, %v{i // 3} : f32\n      %v{i + 1} = math.fma %s{i}, %v{max(0, i - 37)}, %v{i // 2} : f32\n"
        for i in range(150)
    )
    kernels = "".join(
        f"    gpu.func @k{number}(%p: memref<256xf32>) kernel {{\n      %i = gpu.thread_id x\n"
        f"      %v0 = memref.load %p[%i] : memref<256xf32>\n{steps}"
        "      memref.store %v150, %p[%i] : memref<256xf32>\n      gpu.return\n    }\n"
        for number in range(count)
    )
    return f"module attributes {{gpu.container_module}} {{\n  gpu.module @kernels {{\n{kernels}  }}\n}}\n"


def call_directly(subject, folder, source, kernel, target):
    machine = machine_of("amdgcn-amd-amdhsa", target)
    levels = levels_of(kernel)
    stated = [option.removeprefix("pipeline=") for option in kernel.options if option.startswith("pipeline=")]
    whole = [text if text.startswith("builtin.module(") else f"builtin.module({text})" for text in stated]
    pipeline = whole[0] if whole else DEFAULT.format(chip=target.partition(":")[0])
    lowered = run(folder, "mlir-opt-22", f"--pass-pipeline={pipeline}", source)
    if lowered.returncode != 0:
        return ReferenceResult(False, {}, lowered.stderr, {})
    kernels = HEADING.sub(b"module {", lowered.stdout).rstrip()
    translated = run(folder, "mlir-translate-22", "--mlir-to-llvmir", "-", input=kernels[: kernels.rfind(b"}")])
    assert translated.returncode == 0, translated.stderr
    named = LAYOUT.sub(b"", translated.stdout)
    optimised = run(folder, "opt-22", *machine, f"-passes=default<{levels[0][1:]}>", "-o", "-", "-", input=named)
    places = folder.parent / "direct"
    places.mkdir(exist_ok=True)
    options = [*levels, *machine, "-relocation-model=pic", "--amdhsa-code-object-version=5", "-filetype=obj"]
    generated = run(folder, "llc-22", *options, "-o", places / "object", input=optimised.stdout)
    run(folder, "ld.lld-22", "-shared", "--no-undefined", "--build-id=none", places / "object", "-o", places / "hsaco")
    return ReferenceResult(True, {"hsaco": (places / "hsaco").read_bytes()}, lowered.stderr + generated.stderr, {})


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

SUBJECTS = [
    Subject(
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
]
