#!/usr/bin/env python3
"""What a process pays for a kernel: the library in a process of its own, kiln on a miss, kiln on a hit.

Each round runs the three side by side, as whole processes, on a source that nobody has compiled before, so that drift
of the machine meets all of them. "kiln's own" is what a miss takes beyond the compile in the child, as kiln's reply
tells it. Prints a table in Markdown: medians, and ratios to the direct call.

usage: bench/first_kernel.py [--rounds N]     after scripts/test has built and fetched everything, and
                                              cmake --build build/release --target direct_call direct_ir
"""

import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import time

from node import ROOT, harness, running

HIP = ("hiprtc", harness.hiprtc_library())
PTX = ("nvjitlink", harness.nvjitlink_library("13.0"))
# kiln's own for the host (frontends/mlir/lowering.cc), for the library to run too.
PIPELINE = (
    "builtin.module(one-shot-bufferize{bufferize-function-boundaries=1 "
    "function-boundary-type-conversion=identity-layout-map},buffer-results-to-out-params,"
    "func.func(convert-linalg-to-loops,convert-vector-to-scf),expand-strided-metadata,lower-affine,convert-scf-to-cf,"
    "convert-vector-to-llvm,convert-math-to-llvm,convert-math-to-libm,finalize-memref-to-llvm,convert-arith-to-llvm,"
    "convert-index-to-llvm,convert-func-to-llvm{use-bare-ptr-memref-call-conv=1},convert-cf-to-llvm,"
    "reconcile-unrealized-casts,canonicalize,cse)"
)
LLVM, MLIR = ("llvm",), ("mlir", PIPELINE)


@dataclasses.dataclass(frozen=True)
class Subject:
    """A kernel, and how it is compiled without kiln."""

    label: str
    source: pathlib.Path
    extension: str
    target: str
    output: str
    library: tuple = None  # what direct_call is told; None: NVRTC, by the tests' reference
    options: tuple = ()  # of both sides
    is_reproducible: bool = True  # without kiln

    def direct(self, source):
        if self.library in (LLVM, MLIR):
            program = ROOT / "build/release/bench/direct_ir"
            return [program, source, f"direct.{self.output}", self.target, *self.library[1:]]
        if self.library:
            architecture = {"hiprtc": "--offload-arch=", "nvjitlink": "-arch="}[self.library[0]] + self.target
            program = ROOT / "build/release/bench/direct_call"
            return [program, *self.library, source, f"direct.{self.output}", architecture, *self.options]
        reference = [os.environ["KILN_TEST_REFERENCE"], "--library", harness.nvrtc_library("13.0")]
        named = ["--output", f"cubin=direct.{self.output}", "--name", source, source]
        return [*reference, *named, "--", f"-arch={self.target}", "--no-cache", *self.options]

    def ask(self, daemon, source):
        command = [daemon.bin / "kiln", "--json", "compile", source, "--target", self.target]
        return [*command, "-o", f"kiln.{self.output}", "--", *self.options]


def subjects(folder):
    """The kernels; what has to be made first lies in `folder`."""
    saxpy, cub = (ROOT / f"examples/kernels/{name}.cu" for name in ("saxpy", "block_reduce"))
    ptx = folder / "saxpy.ptx"
    generated = [os.environ["KILN_TEST_REFERENCE"], "--library", harness.nvrtc_library("13.0"), "--output", f"ptx={ptx}"]
    run([*generated, "--name", "saxpy.cu", saxpy, "--", "-arch=compute_80"], folder)
    ptx.write_bytes(ptx.read_bytes().rstrip(b"\0"))
    includes = tuple(f"-I{directory}" for directory in harness.cuda_includes())
    return [
        Subject("cuda, saxpy", saxpy, "cu", "sm_90", "cubin"),
        Subject("cuda, CUB kernel", cub, "cu", "sm_90", "cubin", options=includes, is_reproducible=False),
        Subject("ptx, saxpy", ptx, "ptx", "sm_90", "cubin", library=PTX),
        Subject("hip, saxpy", saxpy, "hip", "gfx90a", "hsaco", library=HIP),
        Subject("llvm-ir, saxpy for a processor", saxpy.with_suffix(".ll"), "ll", "x86-64-v3", "so", library=LLVM),
        Subject("mlir, saxpy for a processor", saxpy.with_suffix(".mlir"), "mlir", "x86-64-v3", "so", library=MLIR),
    ]


def run(command, folder, **settings):
    """What it printed, and the milliseconds from before its start until its end."""
    start = time.perf_counter()
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, cwd=folder, **settings)
    return done.stdout, (time.perf_counter() - start) * 1000


def measure(subject, rounds, daemon, folder):
    """Medians in milliseconds: direct, miss, hit, and what a miss takes beyond the compile."""
    rows = []
    for number in range(rounds):
        source = folder / f"{subject.source.stem}{number}.{subject.extension}"
        comment = ";" if subject.extension == "ll" else "//"
        source.write_text(subject.source.read_text() + f"{comment} round {number}\n")
        _, direct = run(subject.direct(source.name), folder, env=harness.reference_environment("13.0"))
        client = harness.environment(KILN_SOCKET=daemon.socket)
        printed, miss = run(subject.ask(daemon, source.name), folder, env=client)
        reply = json.loads(printed)
        _, hit = run(subject.ask(daemon, source.name), folder, env=client)
        assert reply["outcome"] == "miss"
        if subject.is_reproducible:
            names = (f"direct.{subject.output}", f"kiln.{subject.output}")
            assert len({(folder / name).read_bytes() for name in names}) == 1, source
        rows.append((direct, miss, hit, reply["total_ms"] - reply["compile_ms"]))
    return [statistics.median(column) for column in zip(*rows)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(f"{rounds} rounds, {os.cpu_count()} processors, medians in ms (ratio to the direct call)\n")
    print("| kernel | the library in a fresh process | kiln, miss | of that kiln's own | kiln, hit |")
    print("|---|---|---|---|---|")
    programs = [ROOT / f"build/bin/kiln-compiler-{name}" for name in ("llvm", "mlir")]
    with running(toolchains=("13.0", PTX[1], HIP[1], *programs)) as (daemon, folder):
        for subject in subjects(folder):
            direct, miss, hit, own = measure(subject, rounds, daemon, folder)
            ratios = f"{miss:.1f} ({miss / direct:.2f}) | {own:.1f} | {hit:.1f} ({hit / direct:.3f})"
            print(f"| {subject.label} | {direct:.1f} | {ratios} |")


if __name__ == "__main__":
    main()
