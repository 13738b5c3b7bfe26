#!/usr/bin/env python3
"""64 processes that each ask for the same 50 kernels on an empty store, beside the 50 compiles that are needed.

The other side calls NVRTC for each kernel once, in fresh processes, one for each processor at a time, as a build
system would. Each process asks for one kernel after the other: in one run each begins with another kernel, in the other
all ask in the same order, so that all wait for the same compile and one processor works at a time. Prints a table in
Markdown: medians of the wall times, their ratios, and how many compiles kilnd ran.

usage: bench/crowd.py [--rounds N]
       after scripts/test, and cmake --build build/release --target hit_latency
"""

import argparse
import concurrent.futures
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from node import ROOT, harness, running

CLIENTS = 64
KERNELS = 50


def source_of(number):
    return f"""template <int N> __device__ float f(float x) {{ return f<N - 1>(x) * x + sinf(x + N); }}
template <> __device__ float f<0>(float x) {{ return x; }}
extern "C" __global__ void k{number}(float* x) {{ x[threadIdx.x] = f<{20 + number % 7}>(x[threadIdx.x]) + {number}; }}
"""


def write_sources(folder):
    sources = [folder / f"k{number}.cu" for number in range(KERNELS)]
    for number, source in enumerate(sources):
        source.write_text(source_of(number))
    return sources


def direct_seconds():
    def compile(source):
        command = [os.environ["KILN_TEST_REFERENCE"], "--library", harness.nvrtc_library("13.0"), "--name", source.name]
        command += ["--output", f"cubin={source}.cubin", source.name, "--", "-arch=sm_90", "--no-cache"]
        subprocess.run(
            list(map(str, command)), check=True, stdout=subprocess.DEVNULL, cwd=folder,
            env=harness.reference_environment("13.0"),
        )

    with tempfile.TemporaryDirectory(prefix="kiln-bench-") as place:
        folder = pathlib.Path(place)
        sources = write_sources(folder)
        start = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(compile, sources))
        return time.perf_counter() - start


def kiln_seconds(firsts, compiles):
    """With an empty store; `firsts` are the numbers of the kernels that the clients begin with."""
    with running() as (daemon, folder):
        names = [source.name for source in write_sources(folder)]
        environment = harness.environment(KILN_SOCKET=daemon.socket)

        def ask(first):
            command = [ROOT / "build/release/bench/hit_latency", "1", "sm_90", *names[first:], *names[:first]]
            return subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, cwd=folder, env=environment)

        start = time.perf_counter()
        clients = [ask(first) for first in firsts]
        assert [client.wait() for client in clients] == [0] * CLIENTS
        seconds = time.perf_counter() - start
        compiles.add(harness.Kiln(daemon.bin, daemon.socket, folder).compiles())
        return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    compiles = set()
    runs = {
        "direct": direct_seconds,
        "any order": lambda: kiln_seconds([number % KERNELS for number in range(CLIENTS)], compiles),
        "one order": lambda: kiln_seconds([0] * CLIENTS, compiles),
    }
    times = {name: [] for name in runs}
    for turn in range(rounds):
        for name in list(runs)[:: 1 if turn % 2 == 0 else -1]:
            times[name].append(runs[name]())
    print(f"{rounds} rounds, {os.cpu_count()} processors, medians in seconds\n")
    print(f"| {KERNELS} compiles spread over the processors | {CLIENTS} processes, each begins with another kernel | ratio "
          "| all in the same order | ratio | compiles |")
    print("|---|---|---|---|---|---|")
    cells = [f"{statistics.median(times['direct']):.2f}"]
    for name in ("any order", "one order"):
        ratio = statistics.median(ours / theirs for ours, theirs in zip(times[name], times["direct"]))
        cells += [f"{statistics.median(times[name]):.2f}", f"{ratio:.2f}"]
    print("| " + " | ".join([*cells, ", ".join(map(str, sorted(compiles)))]) + " |")


if __name__ == "__main__":
    main()
