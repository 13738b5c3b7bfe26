"""Loading what was compiled, by kiln.h: real compilers, a real daemon, stand-ins for the drivers of GPUs."""

import os
import pathlib
import shutil
import subprocess

import pytest

from harness import DEADLINE, Kiln, environment, hiprtc_library, nvrtc_library
from kernels import SAXPY

TESTS = pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parent
STAND_INS = TESTS / "stand_in_drivers"
STUBS = pathlib.Path("/usr/local/cuda/lib64/stubs")
DEBIAN = pathlib.Path("/usr/lib/x86_64-linux-gnu")
DOUBLE = """define void @double_it(ptr %data, i64 %n) {
  %before = load float, ptr %data
  %after = fmul float %before, 2.0
  store float %after, ptr %data
  ret void
}
"""
CUDA = ("cuda", "saxpy.cu", "sm_90")
HIP = ("hip", "saxpy.hip", "gfx90a")
HOST = ("llvm-ir", "double.ll", "host")
GPUS = [("cuda-module", CUDA), ("cuda-library", CUDA), ("hip", HIP)]


@pytest.fixture
def node(bin, make_daemon):
    daemon = make_daemon(
        toolchains=(nvrtc_library("13.0"), hiprtc_library(), bin / "kiln-compiler-llvm"),
    )
    daemon.start()
    return daemon


@pytest.fixture
def kiln(bin, node, work):
    for name, text in (("saxpy.cu", SAXPY), ("saxpy.hip", SAXPY), ("double.ll", DOUBLE)):
        (work / name).write_text(text)
    return Kiln(bin, node.socket, work)


def load(kiln, loader, kernel, *functions, drivers=STAND_INS, device=None, refuses=0, status=0, socket=None):
    """The lines that the program prints: what came of the load first."""
    language, file, target = kernel
    variables = {"KILN_STAND_IN_REFUSES": refuses, "LD_LIBRARY_PATH": drivers, "KILN_STAND_IN_DEVICE": device or target}
    if socket is not None:
        variables["KILN_SOCKET"] = socket
    done = subprocess.run(
        [TESTS / "load_kernel", loader, language, file, target, *functions],
        cwd=kiln.folder,
        env=kiln.environment | {name: str(value) for name, value in variables.items()},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stdout.splitlines()


MISS, HIT = "outcome 1", "outcome 0"


@pytest.mark.parametrize("loader,kernel", GPUS)
def test_a_binary_is_compiled_once_and_loaded_by_the_driver_that_is_there(kiln, loader, kernel):
    assert load(kiln, loader, kernel, "saxpy") == ["ok ", MISS, "handle yes", "saxpy ok"]
    assert load(kiln, loader, kernel, "saxpy") == ["ok ", HIT, "handle yes", "saxpy ok"]


def test_a_shared_object_is_loaded_into_the_process(kiln):
    assert load(kiln, "host", HOST, "double_it") == ["ok ", MISS, "handle yes", "double_it ok"]


@pytest.mark.parametrize("loader,kernel", [*GPUS, ("host", HOST)])
def test_a_function_that_is_not_there_is_named(kiln, loader, kernel):
    lines = load(kiln, loader, kernel, "no_such_kernel", status=1)
    assert lines[0] == "ok "
    assert lines[-1].startswith("no_such_kernel '") and "no_such_kernel'" in lines[-1] and kernel[1] in lines[-1]


@pytest.mark.parametrize(
    "loader,kernel,device", [("cuda-module", CUDA, "sm_80"), ("cuda-library", CUDA, "sm_80"), ("hip", HIP, "gfx942")]
)
def test_a_binary_for_another_device_is_said_to_be_so_and_stays(kiln, loader, kernel, device):
    for outcome in (MISS, HIT):
        lines = load(kiln, loader, kernel, device=device, status=1)
        assert lines[0].startswith("binary_unfit ") and "STAND_IN_NO_BINARY_FOR_GPU" in lines[0]
        assert "another architecture" in lines[0]
        assert lines[1] == outcome
    assert kiln.compiles() == 1


@pytest.mark.parametrize("loader,kernel", GPUS)
def test_a_binary_that_the_driver_refuses_is_set_aside_and_compiled_once_more(kiln, node, loader, kernel):
    load(kiln, loader, kernel)
    assert load(kiln, loader, kernel, "saxpy", refuses=1) == ["ok ", MISS, "handle yes", "saxpy ok"]
    assert kiln.compiles() == 2
    assert load(kiln, loader, kernel)[1] == HIT
    assert "a driver refuses the binary of key" in node.log_text() and "set aside" in node.log_text()


def test_bytes_that_are_refused_again_after_another_compile_are_kept_and_cost_no_third(kiln):
    lines = load(kiln, "cuda-module", CUDA, refuses=2, status=1)
    assert lines[0].startswith("binary_refused ") and "STAND_IN_INVALID_IMAGE" in lines[0]
    assert "also when it was compiled anew" in lines[0]
    assert kiln.compiles() == 2
    for _ in range(3):
        lines = load(kiln, "cuda-module", CUDA, refuses=1, status=1)
        assert lines[0].startswith("binary_refused ") and "compiled it anew before" in lines[0]
    assert kiln.compiles() == 2
    assert load(kiln, "cuda-module", CUDA)[:2] == ["ok ", HIT]


def test_who_reports_a_binary_harms_no_other_domain(bin, make_daemon, work, folder):
    other = folder / "other.sock"
    daemon = make_daemon(config=f'[[listen]]\npath = "{other}"\ndomain = "other"')
    daemon.start()
    (work / "saxpy.cu").write_text(SAXPY)
    kiln = Kiln(bin, daemon.socket, work)
    for socket in (daemon.socket, other):
        assert load(kiln, "cuda-module", CUDA, socket=socket)[1] == MISS
    load(kiln, "cuda-module", CUDA, refuses=2, status=1, socket=other)
    assert load(kiln, "cuda-module", CUDA, socket=daemon.socket)[1] == HIT


@pytest.mark.parametrize(
    "loader,kernel,drivers,said",
    [
        ("cuda-module", CUDA, "/nowhere", ["libcuda.so.1", "no CUDA driver"]),
        ("cuda-library", CUDA, "/nowhere", ["libcuda.so.1", "no CUDA driver"]),
        ("hip", HIP, DEBIAN, ["hipInit failed: hipError", "no device"]),
    ],
)
def test_a_machine_without_driver_or_device_is_told_so_before_anything_is_compiled(kiln, loader, kernel, drivers, said):
    lines = load(kiln, loader, kernel, drivers=drivers, status=1)
    assert len(lines) == 1 and lines[0].startswith("driver_unavailable ")
    for text in said:
        assert text in lines[0]
    assert kiln.compiles() == 0


@pytest.mark.skipif(not (STUBS / "libcuda.so").exists(), reason="the toolkit is of wheels, which have no stubs")
@pytest.mark.parametrize("loader", ["cuda-module", "cuda-library"])
def test_the_toolkit_s_stub_of_the_driver_is_no_driver(kiln, work, loader):
    folder = work / "stubs"
    folder.mkdir()
    (folder / "libcuda.so.1").symlink_to(STUBS / "libcuda.so")
    (line,) = load(kiln, loader, CUDA, drivers=folder, status=1)
    assert line.startswith("driver_unavailable ") and "is the stub of a CUDA toolkit" in line


def test_a_driver_that_finds_no_device_says_so(kiln):
    (line,) = load(kiln, "cuda-module", CUDA, device="none", status=1)
    assert line.startswith("driver_unavailable ") and "STAND_IN_NO_DEVICE" in line
    assert kiln.compiles() == 0


def own_gpu():
    """The architecture of this machine's first GPU by NVIDIA; None if it has none."""
    if shutil.which("nvidia-smi") is None:
        return None
    asked = subprocess.run(
        ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"], capture_output=True, text=True, timeout=DEADLINE
    )
    return "sm_" + asked.stdout.splitlines()[0].replace(".", "") if asked.returncode == 0 and asked.stdout else None


@pytest.mark.skipif(own_gpu() is None, reason="this machine has no GPU by NVIDIA")
def test_a_real_driver_loads_what_is_compiled_for_its_gpu(kiln):
    kernel = ("cuda", "saxpy.cu", own_gpu())
    for outcome in (MISS, HIT):
        lines = load(kiln, "cuda-library", kernel, "saxpy", drivers="")
        assert lines == ["ok ", outcome, "handle yes", "saxpy ok"]


def test_what_does_not_compile_is_not_loaded(kiln, work):
    (work / "saxpy.cu").write_text(SAXPY.replace("* x[i]", "* z[i]"))
    lines = load(kiln, "cuda-module", CUDA, status=1)
    assert lines[0].startswith("compile_error ")
    assert "handle yes" not in lines
