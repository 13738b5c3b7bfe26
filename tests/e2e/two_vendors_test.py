"""One daemon that compiles for NVIDIA and AMD at once."""

import json

from harness import DEADLINE, Kiln, hiprtc_library, nvjitlink_library
from kernels import SAXPY

PTX = """
.version 8.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 data)
{
  ret;
}
"""
# What is asked for: the file, and its targets.
ASKED = {"k.cu": ("sm_80", "sm_90"), "k.hip": ("gfx90a", "gfx1030"), "k.ptx": ("sm_80", "sm_90")}


def ask_all_at_once(kiln, work):
    """The outcome and the binary of each, by file and target."""
    asked = [(file, target) for file, targets in ASKED.items() for target in targets]
    processes = []
    for file, target in asked:
        binary = work / f"{file}.{target}.binary"
        binary.unlink(missing_ok=True)
        processes.append(kiln.start("--json", "compile", file, "--target", target, "-o", binary))
    results = {}
    for (file, target), process in zip(asked, processes):
        stdout, stderr = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, stderr
        outcome = json.loads(stdout)["outcome"]
        results[file, target] = outcome, (work / f"{file}.{target}.binary").read_bytes()
    return results


def test_both_vendors_are_served_at_once_and_by_hits_alone_after_a_restart(bin, make_daemon, work):
    (work / "k.cu").write_text(SAXPY)
    (work / "k.hip").write_text(SAXPY)
    (work / "k.ptx").write_text(PTX)
    daemon = make_daemon(toolchains=("13.0", hiprtc_library(), nvjitlink_library("13.0")))
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    first = ask_all_at_once(kiln, work)
    assert {outcome for outcome, _ in first.values()} == {"miss"}
    assert len({binary for _, binary in first.values()}) == len(first)
    assert kiln.compiles() == len(first)

    daemon.restart()
    again = ask_all_at_once(kiln, work)
    assert again == {asked: ("hit", binary) for asked, (_, binary) in first.items()}
    assert kiln.compiles() == 0
