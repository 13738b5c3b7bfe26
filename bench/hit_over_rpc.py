#!/usr/bin/env python3
"""A hit through libkiln, its own cost included, beside a bare Cap'n Proto call that returns the same bytes the same way
(in the message, or by descriptor from 64 KiB on) and a Redis GET of them, all over Unix sockets and in turn.

Several clients, one after the other, since where the kernel happens to place the programs stays with them for seconds.
Prints a table in Markdown: medians in microseconds, and the ratio to the bare call.

usage: bench/hit_over_rpc.py [--rounds N] [--clients N]
       after scripts/test, cmake --build build/release --target hit_over_rpc, and apt-get install redis-server
"""

import argparse
import os
import statistics
import subprocess
import time

from node import ROOT, harness, running

PROGRAM = ROOT / "build/release/bench/hit_over_rpc"


def source_of(size):
    """A kernel whose cubin has about `size` bytes: a table makes the most of them."""
    words = max(0, size - 5000) // 4
    table = f"__device__ unsigned table[{words}] = {{1}};\n" if words else ""
    body = "*x = table[*x];" if words else "*x += 1;"
    return f'{table}extern "C" __global__ void k(unsigned* x) {{ {body} }}\n'


def wait_for(path):
    while not path.exists():
        time.sleep(0.01)


def measure(size, rounds, clients, daemon, folder):
    source = folder / f"{size}.cu"
    source.write_text(source_of(size))
    kiln = harness.Kiln(daemon.bin, daemon.socket, folder)
    kiln.compile(source, "-o", folder / "k.cubin")
    servers = []
    try:
        bare, redis = folder / f"bare{size}", folder / f"redis{size}"
        servers.append(subprocess.Popen([PROGRAM, "serve", bare, folder / "k.cubin"], stdout=subprocess.DEVNULL))
        servers.append(
            subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", redis, "--save", "", "--dir", folder],
                stdout=subprocess.DEVNULL,
            )
        )
        for path in (bare, redis):
            wait_for(path)
        command = list(map(str, [PROGRAM, "measure", rounds, "sm_90", source, bare, redis]))
        environment = harness.environment(KILN_SOCKET=daemon.socket)
        printed = b"".join(
            subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout for _ in range(clients)
        )
    finally:
        for server in servers:
            server.terminate()
            server.wait()
    return (folder / "k.cubin").stat().st_size, [list(map(float, row.split())) for row in printed.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=10)
    arguments = parser.parse_args()
    print(f"{arguments.clients} clients of {arguments.rounds} rounds, {os.cpu_count()} processors, medians in microseconds\n")
    print("| binary | libkiln hit | bare call | Redis GET | hit / bare call |")
    print("|---|---|---|---|---|")
    with running() as (daemon, folder):
        for size in (5_000, 1_000_000):
            bytes_, rows = measure(size, arguments.rounds, arguments.clients, daemon, folder)
            hit, bare, redis = (statistics.median(column) for column in zip(*rows))
            ratio = statistics.median(row[0] / row[1] for row in rows)
            print(f"| {bytes_} bytes | {hit:.0f} | {bare:.0f} | {redis:.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
