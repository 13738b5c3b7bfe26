#!/usr/bin/env python3
"""64 processes that each ask for the same 50 kernels on an empty store, beside the 50 compiles that are needed.

The other side calls NVRTC for each kernel once, in fresh processes, one for each processor at a time, as a build
system would. Prints a table in Markdown: medians of the wall times, the ratio, and how many compiles kilnd ran.

usage: bench/crowd.py [--rounds N]
       after scripts/test, and cmake --build build/release --target hit_latency
"""

import argparse
import concurrent.futures
import os
import statistics
import subprocess
import time

from node import ROOT, harness, running

CLIENTS = 64
KERNELS = 50


def source_of(number):
    return f"""template <int N> __device__ float f(float x) {{ return f<N - 1>(x) * x + sinf(x + N); }}
template <> __device__ float f<0>(float x) {{ return x; }}
extern "C" __global__ void k{number}(float* x) {{ x[threadIdx.x] = f<{20 + number % 7}>(x[threadIdx.x]) + {number}; }}
"""


def direct_seconds(sources, folder):
    def compile(source):
        command = [os.environ["KILN_TEST_REFERENCE"], "--library", harness.nvrtc_library("13.0"), "--name", source.name]
        command += ["--output", f"cubin={source}.cubin", source.name, "--", "-arch=sm_90", "--no-cache"]
        subprocess.run(
            list(map(str, command)), check=True, stdout=subprocess.DEVNULL, cwd=folder,
            env=harness.reference_environment("13.0"),
        )

    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile, sources))
    return time.perf_counter() - start


def kiln_seconds(sources, daemon, folder):
    command = [ROOT / "build/release/bench/hit_latency", "1", "sm_90", *(source.name for source in sources)]
    environment = harness.environment(KILN_SOCKET=daemon.socket)
    start = time.perf_counter()
    clients = [
        subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, cwd=folder, env=environment)
        for _ in range(CLIENTS)
    ]
    assert [client.wait() for client in clients] == [0] * CLIENTS
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    times, compiles = [], set()
    for turn in range(rounds):
        with running() as (daemon, work):
            sources = [work / f"k{number}.cu" for number in range(KERNELS)]
            for number, source in enumerate(sources):
                source.write_text(source_of(number))
            runs = [lambda: direct_seconds(sources, work), lambda: kiln_seconds(sources, daemon, work)]
            order = (0, 1) if turn % 2 == 0 else (1, 0)
            seconds = {which: runs[which]() for which in order}
            times.append((seconds[0], seconds[1]))
            compiles.add(harness.Kiln(daemon.bin, daemon.socket, work).compiles())
    direct, kiln = (statistics.median(column) for column in zip(*times))
    ratio = statistics.median(ours / theirs for theirs, ours in times)
    print(f"{rounds} rounds, {os.cpu_count()} processors, medians in seconds\n")
    print(f"| {KERNELS} compiles spread over the processors | {CLIENTS} processes asking kilnd | ratio | compiles |")
    print("|---|---|---|---|")
    print(f"| {direct:.2f} | {kiln:.2f} | {ratio:.2f} | {', '.join(map(str, sorted(compiles)))} |")


if __name__ == "__main__":
    main()
