"""One daemon that compiles for NVIDIA and AMD at once."""

import json
import subprocess
import sys

from harness import DEADLINE, ROOT, Kiln, hiprtc_library, linked_directly, nvjitlink_library, wait_for
from kernels import slow

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


def compile_at_once(kiln):
    """Whether compiles for both vendors run now."""
    running = [one["toolchain"] for one in kiln.json("status")["compilers"] if one["role"] == "compile"]
    return {"nvrtc 13.0", "hiprtc 5.2"} <= set(running)


def ask_all_at_once(kiln, work, meanwhile=lambda: None):
    """The outcome and the binary of each, by file and target."""
    asked = [(file, target) for file, targets in ASKED.items() for target in targets]
    processes = []
    for file, target in asked:
        binary = work / f"{file}.{target}.binary"
        binary.unlink(missing_ok=True)
        processes.append(kiln.start("--json", "compile", file, "--target", target, "-o", binary))
    meanwhile()
    results = {}
    for (file, target), process in zip(asked, processes):
        stdout, stderr = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, stderr
        outcome = json.loads(stdout)["outcome"]
        results[file, target] = outcome, (work / f"{file}.{target}.binary").read_bytes()
    return results


def called_directly(reference, work, file, target):
    """What the library gives without kiln."""
    if file == "k.cu":
        return reference.compile("13.0", file, [f"-arch={target}"]).outputs["cubin"]
    if file == "k.ptx":
        return linked_directly(work, "13.0", file, f"-arch={target}")[0]
    program = ROOT / "tests/reference/hiprtc_direct.py"
    arguments = [hiprtc_library(), file, "direct.hsaco", "log", f"--gpu-architecture={target}"]
    subprocess.run([sys.executable, program, *arguments], cwd=work, timeout=DEADLINE, check=True)
    return (work / "direct.hsaco").read_bytes()


def test_both_vendors_are_served_at_once_and_by_hits_alone_after_a_restart(bin, make_daemon, reference, work):
    (work / "k.cu").write_text(slow(2))
    (work / "k.hip").write_text(slow(2))
    (work / "k.ptx").write_text(PTX)
    daemon = make_daemon(toolchains=("13.0", hiprtc_library(), nvjitlink_library("13.0")), config="jobs = 6")
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    first = ask_all_at_once(kiln, work, meanwhile=lambda: wait_for(lambda: compile_at_once(kiln)))
    assert {outcome for outcome, _ in first.values()} == {"miss"}
    for (file, target), (_, binary) in first.items():
        assert binary == called_directly(reference, work, file, target), (file, target)
    assert kiln.compiles() == len(first)

    daemon.restart()
    again = ask_all_at_once(kiln, work)
    assert again == {asked: ("hit", binary) for asked, (_, binary) in first.items()}
    assert kiln.compiles() == 0
