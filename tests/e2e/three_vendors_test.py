"""One daemon that compiles for NVIDIA, AMD and processors at once."""

import json
import subprocess
import sys

import pytest

from harness import DEADLINE, ROCM_BITCODE, ROOT, Kiln, hiprtc_library, libdevice, linked_directly, nvjitlink_library, wait_for
from kernels import slow

pytestmark = pytest.mark.outputs

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
EVERYWHERE = ("sm_90", "gfx942", "x86-64-v3", "host")
ASKED = {
    "k.cu": ("sm_80", "sm_90"),
    "k.hip": ("gfx90a", "gfx1030"),
    "k.ptx": ("sm_80", "sm_90"),
    "k.ll": ("x86-64-v2", "host"),
    "k.mlir": EVERYWHERE,
}
COMPARED = ("k.cu", "k.hip", "k.ptx")  # with the library; others are in llvm_test.py and mlir_test.py


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


def test_three_vendors_are_served_at_once_and_by_hits_alone_after_a_restart(bin, make_daemon, reference, work):
    (work / "k.cu").write_text(slow(2))
    (work / "k.hip").write_text(slow(2))
    (work / "k.ptx").write_text(PTX)
    (work / "k.ll").write_text((ROOT / "examples/kernels/saxpy.ll").read_text())
    (work / "k.mlir").write_text((ROOT / "examples/gelu_and_mul/gelu_and_mul.mlir").read_text())
    libraries = ("13.0", hiprtc_library(), nvjitlink_library("13.0"), libdevice(), ROCM_BITCODE)
    programs = (bin / "kiln-compiler-llvm", bin / "kiln-compiler-mlir")
    daemon = make_daemon(toolchains=(*libraries, *programs), config="jobs = 6")
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    first = ask_all_at_once(kiln, work, meanwhile=lambda: wait_for(lambda: compile_at_once(kiln)))
    assert {outcome for outcome, _ in first.values()} == {"miss"}
    for (file, target), (_, binary) in first.items():
        if file not in COMPARED:
            continue
        assert binary == called_directly(reference, work, file, target), (file, target)
    assert kiln.compiles() == len(first) + 1  # MLIR becomes PTX, which is linked

    daemon.restart()
    again = ask_all_at_once(kiln, work)
    assert again == {asked: ("hit", binary) for asked, (_, binary) in first.items()}
    assert kiln.compiles() == 0
