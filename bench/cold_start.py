#!/usr/bin/env python3
"""An application of 200 kernels (examples/cold_start) from its start until it has them all: by NVRTC and LLVM in its
own process, and by kiln on a node that has nothing, on one that has compiled them before, and on one without compilers
that was given them in a bundle.

Each way once as one process and once as several replicas at once, all of which ask for the kernels in the same order.
The bundle is built once, from what `kiln record` wrote down. Prints a table in Markdown: medians of the wall times,
their ratios to the application without kiln in the same rounds, and how many compiles there were.

usage: bench/cold_start.py [--rounds N] [--replicas N]
       after scripts/test, and cmake --build build/release --target cold_start cold_start_direct
"""

import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import time

from first_kernel import PIPELINE
from node import ROOT, harness, running

PROGRAMS = ROOT / "build/release/bench"
KERNELS = 200
TARGET = "sm_90"
DIRECT = "NVRTC, MLIR and LLVM in the process"


def application():
    includes = [part for directory in harness.cuda_includes() for part in ("-I", directory)]
    return [PROGRAMS / "cold_start", "--target", TARGET, *includes]


def seconds_of(command, replicas, **settings):
    """From before the first is started until the last has ended."""
    command = list(map(str, command))
    start = time.perf_counter()
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL, **settings) for _ in range(replicas)]
    assert [process.wait() for process in processes] == [0] * replicas, command
    return time.perf_counter() - start


class Node:
    """A running daemon, as the application meets it."""

    def __init__(self, daemon, folder):
        self.kiln = harness.Kiln(daemon.bin, daemon.socket, folder)

    def run(self, *arguments):
        """A command of kiln's."""
        harness.run(self.kiln.program, *arguments, cwd=self.kiln.folder, env=self.kiln.environment)

    def start(self, replicas):
        """The seconds, and how many compiles there were."""
        before = self.kiln.compiles()
        seconds = seconds_of(application(), replicas, cwd=self.kiln.folder, env=self.kiln.environment)
        return seconds, self.kiln.compiles() - before


@contextlib.contextmanager
def node_with_compilers():
    programs = [pathlib.Path(os.environ["KILN_TEST_BIN_DIR"]) / f"kiln-compiler-{name}" for name in ("llvm", "mlir")]
    with running(toolchains=("13.0", *programs)) as place:
        yield Node(*place)


def build_bundle(node):
    """The bundle of the application; the node has compiled all of it then."""
    bundle = node.kiln.folder / "app.kiln"
    node.run("record", "-o", "app.lock", "--", *application())
    node.run("build", "app.lock", "--target", TARGET, "--target", "host", "-o", bundle)
    return bundle


def direct(replicas):
    settings = [harness.nvrtc_library("13.0"), TARGET, PIPELINE, *harness.cuda_includes()]
    environment = harness.reference_environment("13.0")
    return seconds_of([PROGRAMS / "cold_start_direct", *settings], replicas, env=environment), KERNELS * replicas


def with_nothing(replicas):
    with node_with_compilers() as node:
        return node.start(replicas)


def with_bundle(replicas, bundle, warming):
    with running(toolchains=()) as place:
        node = Node(*place)
        start = time.perf_counter()
        node.run("warm", bundle)
        warming.append(time.perf_counter() - start)
        return node.start(replicas)


def measure(ways, rounds, sizes):
    """By way and number of replicas, the seconds and the compiles of each round."""
    runs = {(way, replicas): [] for way in ways for replicas in sizes}
    for turn in range(rounds):
        for replicas in sizes:
            for way in list(ways)[:: 1 if turn % 2 == 0 else -1]:
                runs[way, replicas].append(ways[way](replicas))
    return runs


def cells(runs, direct_runs):
    """Of one way and one number of replicas: seconds, ratio, compiles."""
    seconds = statistics.median(seconds for seconds, _ in runs)
    ratio = statistics.median(ours / theirs for (ours, _), (theirs, _) in zip(runs, direct_runs))
    return f"{seconds:.2f} s | {ratio:.4f} | {', '.join(map(str, sorted({compiles for _, compiles in runs})))}"


def print_table(runs, ways, sizes):
    headings = ["1 process" if size == 1 else f"{size} processes at once" for size in sizes]
    print(f"| {KERNELS} kernels |" + "".join(f" {heading} | ratio | compiles |" for heading in headings))
    print("|---" * (1 + 3 * len(sizes)) + "|")
    for way in ways:
        print(f"| {way} | " + " | ".join(cells(runs[way, size], runs[DIRECT, size]) for size in sizes) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--replicas", type=int, default=8)
    arguments = parser.parse_args()
    sizes, warming = (1, arguments.replicas), []
    with node_with_compilers() as node:
        bundle = build_bundle(node)
        ways = {
            DIRECT: direct,
            "kiln, with nothing": with_nothing,
            "kiln, warm node": node.start,
            "kiln, a bundle and no compilers": lambda replicas: with_bundle(replicas, bundle, warming),
        }
        runs = measure(ways, arguments.rounds, sizes)
        megabytes = bundle.stat().st_size / 1e6
    print(f"{arguments.rounds} rounds, {os.cpu_count()} processors, medians; ratios to the first line\n")
    print_table(runs, ways, sizes)
    milliseconds = statistics.median(warming) * 1000
    print(f"\n`kiln warm` of the bundle, {megabytes:.1f} MB, into an empty store: {milliseconds:.0f} ms")


if __name__ == "__main__":
    main()
