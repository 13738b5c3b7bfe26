#!/usr/bin/env python3
"""Bringing a bundle of many small entries to a node, beside unpacking the same files, as a cache shipped in a tar is.

Each round starts a kilnd with an empty store and runs `kiln warm` on a bundle of --kernels entries of --bytes each, one
entry a kernel, then unpacks an uncompressed tar that holds one file of that size for each. Whole commands, wall time; both
end with what they wrote on the disk (kilnd by its own synced batch, tar by sync). Prints a table in Markdown: medians,
entries a second, and the median of the rounds' ratios.

usage: bench/warm.py [--rounds N] [--kernels N] [--bytes N]     after scripts/test has built and fetched everything
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import time

from node import ROOT, harness, running


def seconds(*command, **settings):
    start = time.monotonic()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, **settings)
    return time.monotonic() - start


def write_tar(path, kernels, size):
    """Files of random bytes, by name; the folder that they lay in is gone again."""
    folder = path.parent / "files"
    folder.mkdir()
    for number in range(kernels):
        (folder / f"kernel_{number}.cubin").write_bytes(os.urandom(size))
    subprocess.run(["tar", "-cf", path, "-C", folder, "."], check=True)
    shutil.rmtree(folder)


def unpack(tar, place):
    place.mkdir()
    took = seconds("sh", "-c", f"tar -xf {tar} -C {place} && sync -f {place}")
    shutil.rmtree(place)
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--kernels", type=int, default=20_000)
    parser.add_argument("--bytes", type=int, default=4096)
    arguments = parser.parse_args()
    program = pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parent / "many_kernels"
    warm, tar = [], []
    with running() as (_, files):
        bundle, archive = files / "many.kiln", files / "many.tar"
        subprocess.run([program, bundle, str(arguments.kernels), str(arguments.bytes)], check=True)
        write_tar(archive, arguments.kernels, arguments.bytes)
        for _ in range(arguments.rounds):
            with running() as (daemon, _):
                kiln = daemon.bin / "kiln"
                warm.append(seconds(kiln, "--json", "--socket", daemon.socket, "warm", bundle))
            tar.append(unpack(archive, files / "unpacked"))
    ratio = statistics.median(ours / theirs for ours, theirs in zip(warm, tar))
    ours, theirs = statistics.median(warm), statistics.median(tar)
    count = arguments.kernels
    print(f"{arguments.rounds} rounds, {os.cpu_count()} processors, {count} entries of {arguments.bytes} bytes\n")
    print("| | seconds | entries a second | ratio |")
    print("|---|---|---|---|")
    print(f"| tar -x, one file an entry | {theirs:.2f} | {count / theirs:.0f} | |")
    print(f"| kiln warm | {ours:.2f} | {count / ours:.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
