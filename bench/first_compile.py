#!/usr/bin/env python3
"""What the file questions add to a first compile: kiln's compile of a miss against NVRTC reading the files itself.

Both sides are warm: kiln's zygote has compiled before, and the direct process compiles a small kernel first. Timed is
the compile alone: `compile_ms` of kiln's reply, in the child with all that it asks of the client, against the same
calls of NVRTC. Rounds alternate and each has a source that nobody has compiled before, so that drift of the machine
meets both. Prints a table in Markdown: medians, and the median of the rounds' ratios.

usage: bench/first_compile.py [--rounds N] [KERNEL]...     after scripts/test has built and fetched everything
"""

import argparse
import os
import pathlib
import statistics
import subprocess

from node import KERNELS, ROOT, harness, running


def direct_milliseconds(source, includes, folder):
    """The compile in a process that has compiled saxpy before."""
    command = [os.environ["KILN_TEST_REFERENCE"], "--library", harness.nvrtc_library("13.0"), "--warm-up", KERNELS[0]]
    command += ["--output", f"cubin={folder}/direct.cubin", "--name", source.name, source.name]
    command += ["--", "-arch=sm_90", "--no-cache", *includes]
    result = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, cwd=folder)
    return float(result.stdout.split()[0])


def measure(kernel, rounds, daemon, folder):
    """Per round: the direct compile and kiln's in ms; and how many files and absences kiln's depends on."""
    includes = [f"-I{directory}" for directory in harness.cuda_includes()]
    kiln = harness.Kiln(daemon.bin, daemon.socket, folder)
    direct, miss = [], []
    for number in range(rounds):
        source = folder / f"{kernel.stem}{number}.cu"
        source.write_text(kernel.read_text() + f"// round {number}\n")
        direct.append(direct_milliseconds(source, includes, folder))
        reply = kiln.compile(source.name, "-o", "kiln.cubin", *includes)
        assert reply["outcome"] == "miss"
        miss.append(reply["compile_ms"])
    kinds = [dependency["kind"] for dependency in kiln.json("show", reply["key"])["dependencies"]]
    return direct, miss, kinds.count("file"), kinds.count("absent")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("kernels", nargs="*", type=pathlib.Path, default=KERNELS)
    arguments = parser.parse_args()
    print(f"{arguments.rounds} rounds, {os.cpu_count()} processors, medians in ms\n")
    print("| kernel | files read / absent | NVRTC alone | kiln, miss | ratio |")
    print("|---|---|---|---|---|")
    with running() as (daemon, folder):
        for kernel in arguments.kernels:
            direct, miss, files, absent = measure(kernel, arguments.rounds, daemon, folder)
            ratio = statistics.median(ours / theirs for ours, theirs in zip(miss, direct))
            print(
                f"| {kernel.stem} | {files} / {absent} | {statistics.median(direct):.1f} "
                f"| {statistics.median(miss):.1f} | {ratio:.3f} |"
            )


if __name__ == "__main__":
    main()
