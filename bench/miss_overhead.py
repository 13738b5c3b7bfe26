#!/usr/bin/env python3
"""What kiln adds to the compile of a miss: the time of the whole call less that of the compile itself.

`total_ms` and `compile_ms` are those of kiln's own reply, in a fresh process each time. What a hit of the same kernel
takes there is the part of connecting, looking up and answering. What a store in memory saves is the synced write. What
is left is the second call with the source, the clone of the warm process, and the job's way in and out. Prints a table
in Markdown: medians in milliseconds.

usage: bench/miss_overhead.py [--rounds N]     after scripts/test has built and fetched everything
"""

import argparse
import os
import statistics

from node import KERNELS, harness, running


def measure(rounds, place):
    """Medians: the compile, what kiln adds to it, and a hit."""
    rows = []
    with running(place) as (daemon, folder):
        kiln = harness.Kiln(daemon.bin, daemon.socket, folder)
        for number in range(rounds):
            source = folder / f"{number}.cu"
            source.write_text(KERNELS[0].read_text() + f"// round {number}\n")
            miss, hit = kiln.compile(source.name), kiln.compile(source.name)
            assert (miss["outcome"], hit["outcome"]) == ("miss", "hit")
            rows.append((miss["compile_ms"], miss["total_ms"] - miss["compile_ms"], hit["total_ms"]))
    return [statistics.median(column) for column in zip(*rows)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    compile_, overhead, hit = measure(rounds, None)
    _, in_memory, _ = measure(rounds, "/dev/shm")
    write = overhead - in_memory
    print(f"{rounds} rounds, {os.cpu_count()} processors, medians in ms\n")
    print("| compile | kiln's own | connecting, looking up, answering | synced write | clone, the job's way in and out |")
    print("|---|---|---|---|---|")
    print(f"| {compile_:.1f} | {overhead:.2f} | {hit:.2f} | {write:.2f} | {overhead - hit - write:.2f} |")


if __name__ == "__main__":
    main()
