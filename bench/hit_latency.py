#!/usr/bin/env python3
"""What headers add to a hit: a CUB kernel that reads some 600 of them against a kernel that reads none.

In one running client that asks for the two in turn, and in fresh processes, one for each ask: there the time is that
of the call, connecting included, and that of the whole process. Prints tables in Markdown: medians, and the median of
the differences of each pair.

usage: bench/hit_latency.py [--rounds N] [--processes N]
       after scripts/test, and cmake --build build/release --target hit_latency
"""

import argparse
import os
import statistics
import subprocess
import time

from node import KERNELS, ROOT, harness, running


class Asker:
    def __init__(self, daemon):
        self.includes = [argument for directory in harness.cuda_includes() for argument in ("-I", directory)]
        self.environment = harness.environment(KILN_SOCKET=daemon.socket)

    def ask(self, rounds, *kernels):
        """The milliseconds of each call, by round and kernel."""
        command = [ROOT / "build/release/bench/hit_latency", rounds, "sm_90", *self.includes, *kernels]
        result = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, env=self.environment)
        return [list(map(float, line.split())) for line in result.stdout.splitlines()]

    def ask_in_fresh_process(self, kernel):
        """The milliseconds of the call, and of the process."""
        start = time.perf_counter()
        ((call,),) = self.ask(1, kernel)
        return call, (time.perf_counter() - start) * 1000


def row(what, pairs):
    plain, headers = zip(*pairs)
    difference = statistics.median(with_headers - without for without, with_headers in pairs)
    print(f"| {what} | {statistics.median(plain):.2f} | {statistics.median(headers):.2f} | {difference:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--processes", type=int, default=60)
    arguments = parser.parse_args()
    with running() as (daemon, _):
        asker = Asker(daemon)
        asker.ask(1, *KERNELS)
        in_turn = asker.ask(arguments.rounds + 1, *KERNELS)[1:]
        fresh = [[asker.ask_in_fresh_process(kernel) for kernel in KERNELS] for _ in range(arguments.processes)]
    print(f"{arguments.rounds} rounds, {arguments.processes} processes, {os.cpu_count()} processors, medians in ms\n")
    print("| hit | no headers | CUB kernel | difference |")
    print("|---|---|---|---|")
    row("in a running client", in_turn)
    row("in a fresh process: the call", [[call for call, _ in pair] for pair in fresh])
    row("in a fresh process: the process", [[process for _, process in pair] for pair in fresh])


if __name__ == "__main__":
    main()
