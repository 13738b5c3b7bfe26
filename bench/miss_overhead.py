#!/usr/bin/env python3
"""What kiln adds to the compile of a miss: the time of the whole call less that of the compile itself.

`total_ms` and `compile_ms` are those of kiln's own reply, in a fresh process each time. What a hit of the same kernel
takes there is the part of connecting, looking up and answering; what is left beside it is the second call with the
source, the clone of the warm process, the job's way in and out, and the synced write to the store. Prints a table in
Markdown: medians in milliseconds.

usage: bench/miss_overhead.py [--rounds N]     after scripts/test has built and fetched everything
"""

import argparse
import os
import statistics

from node import ROOT, harness, running


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    kernel = ROOT / "examples/kernels/saxpy.cu"
    rows = []
    with running() as (daemon, folder):
        kiln = harness.Kiln(daemon.bin, daemon.socket, folder)
        for number in range(rounds):
            source = folder / f"{number}.cu"
            source.write_text(kernel.read_text() + f"// round {number}\n")
            miss, hit = kiln.compile(source.name), kiln.compile(source.name)
            assert (miss["outcome"], hit["outcome"]) == ("miss", "hit")
            rows.append((miss["compile_ms"], miss["total_ms"] - miss["compile_ms"], hit["total_ms"]))
    compile_, overhead, hit = (statistics.median(column) for column in zip(*rows))
    print(f"{rounds} rounds, {os.cpu_count()} processors, medians in ms\n")
    print("| compile | kiln's own | of it connecting, looking up, answering | clone, job, store |")
    print("|---|---|---|---|")
    print(f"| {compile_:.1f} | {overhead:.2f} | {hit:.2f} | {overhead - hit:.2f} |")


if __name__ == "__main__":
    main()
