#!/usr/bin/env python3
"""What the next target of a virtual architecture costs: linked from the PTX that is kept, or compiled in one.

Each round compiles a source that nobody compiled before for sm_80 by way of compute_80, which is not timed, and then
side by side for sm_86 by the same way and in one. Timed is the whole call in a fresh process, as kiln's reply tells it.
Prints a table in Markdown: medians, and the median of the rounds' ratios.

usage: bench/stage_reuse.py [--rounds N]     after scripts/test has built and fetched everything
"""

import argparse
import os
import statistics

from node import KERNELS, harness, running


def measure(kernel, rounds, daemon, folder):
    """Per round, in ms: the next target linked, and compiled in one."""
    includes = [f"-I{directory}" for directory in harness.cuda_includes()]
    kiln = harness.Kiln(daemon.bin, daemon.socket, folder)
    linked, in_one = [], []
    for number in range(rounds):
        source = folder / f"{kernel.stem}{number}.cu"
        source.write_text(kernel.read_text() + f"__device__ int round{number};\n")  # which reaches the PTX
        staged = (source.name, "--virtual-arch", "compute_80", *includes)
        replies = [
            kiln.compile(*staged, target="sm_80"),
            kiln.compile(*staged, target="sm_86"),
            kiln.compile(source.name, *includes, target="sm_86"),
        ]
        assert {reply["outcome"] for reply in replies} == {"miss"}
        linked.append(replies[1]["total_ms"])
        in_one.append(replies[2]["total_ms"])
    return linked, in_one


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(f"{rounds} rounds, {os.cpu_count()} processors, medians in ms\n")
    print("| kernel | compiled in one | linked from the PTX that is kept | ratio |")
    print("|---|---|---|---|")
    with running(toolchains=("13.0", harness.nvjitlink_library("13.0"))) as (daemon, folder):
        for kernel in KERNELS:
            linked, in_one = measure(kernel, rounds, daemon, folder)
            ratio = statistics.median(next_ / whole for next_, whole in zip(linked, in_one))
            print(f"| {kernel.stem} | {statistics.median(in_one):.1f} | {statistics.median(linked):.1f} | {ratio:.3f} |")


if __name__ == "__main__":
    main()
