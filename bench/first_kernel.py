#!/usr/bin/env python3
"""What a process pays for a kernel: NVRTC in a process of its own, kiln on a miss, kiln on a hit.

Each round runs the three side by side, as whole processes, on a source that nobody has compiled before, so that drift
of the machine meets all of them. Prints a table in Markdown: medians, and ratios to the direct call.

usage: bench/first_kernel.py [--rounds N]     after scripts/test has built and fetched everything
"""

import argparse
import os
import statistics
import subprocess
import time

from node import ROOT, harness, running


def milliseconds(command, **settings):
    start = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **settings)
    return (time.perf_counter() - start) * 1000


def measure(kernel, rounds, daemon, folder):
    """Medians in milliseconds: direct, miss, hit."""
    includes = [f"-I{directory}" for directory in harness.cuda_includes()]
    direct, miss, hit = [], [], []
    for number in range(rounds):
        source = folder / f"{kernel.stem}{number}.cu"
        source.write_text(kernel.read_text() + f"// round {number}\n")
        direct.append(
            milliseconds(
                [os.environ["KILN_TEST_REFERENCE"], "--library", harness.nvrtc_library("13.0"), "--output",
                 f"cubin={folder}/direct.cubin", "--name", source.name, source.name, "--", "-arch=sm_90", "--no-cache",
                 *includes],
                cwd=folder,
                env=harness.reference_environment("13.0"),
            )
        )
        ask = [daemon.bin / "kiln", "compile", source.name, "--target", "sm_90", "-o", "kiln.cubin", *includes]
        settings = {"cwd": folder, "env": harness.environment(KILN_SOCKET=daemon.socket)}
        miss.append(milliseconds(ask, **settings))
        hit.append(milliseconds(ask, **settings))
        # NVRTC writes its process number into the cubin of a kernel that is a template; kiln's are the same each time.
        if kernel.stem == "saxpy":
            assert (folder / "direct.cubin").read_bytes() == (folder / "kiln.cubin").read_bytes()
    return [statistics.median(times) for times in (direct, miss, hit)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(f"{rounds} rounds, {os.cpu_count()} processors, medians in ms (ratio to the direct call)\n")
    print("| kernel | NVRTC in a fresh process | kiln, miss | kiln, hit |")
    print("|---|---|---|---|")
    with running() as (daemon, folder):
        for kernel in ("saxpy", "block_reduce"):
            direct, miss, hit = measure(ROOT / f"examples/kernels/{kernel}.cu", rounds, daemon, folder)
            print(f"| {kernel} | {direct:.1f} | {miss:.1f} ({miss / direct:.2f}) | {hit:.1f} ({hit / direct:.3f}) |")


if __name__ == "__main__":
    main()
