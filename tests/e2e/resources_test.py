"""Resource usage: what kiln tells of a binary's kernels, held against what cuobjdump tells of the same bytes."""

import os
import re
import subprocess

import pytest

from harness import DEADLINE, Kiln, nvjitlink_library

pytestmark = pytest.mark.outputs

SOURCE = """
extern "C" __global__ void plain(float* x) { x[threadIdx.x] *= 2; }
extern "C" __global__ void __launch_bounds__(96, 2) bounded(float* x) { x[blockIdx.z] *= 2; }
extern "C" __global__ void tiles(float* x) {
  __shared__ float tile[512];
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = tile[511 - threadIdx.x];
}
extern "C" __global__ void array(float* x, int n) {
  float a[100];
  for (int i = 0; i < 100; i++) a[i] = x[i];
  for (int i = 0; i < n; i++) a[(i * 7) % 100] += a[n % 100];
  x[0] = a[n % 100];
}
extern "C" __global__ void spills(float* x) {
  float a[64];
#pragma unroll
  for (int i = 0; i < 64; i++) a[i] = x[i * threadIdx.x];
  for (int k = 0; k < x[0]; k++) {
#pragma unroll
    for (int i = 0; i < 64; i++) a[i] = a[i] * a[(i + 1) % 64] + a[(i + 17) % 64];
  }
#pragma unroll
  for (int i = 0; i < 64; i++) x[i * threadIdx.x] = a[i];
}
__device__ __noinline__ float looked_up(float x) {
  volatile float b[20];
  b[(int)x % 20] = x;
  return b[(int)(x * 3) % 20];
}
extern "C" __global__ void calls(float* x) { x[threadIdx.x] = looked_up(x[0]) + looked_up(x[1]); }
__device__ __noinline__ int depth(int n) { return n > 0 ? depth(n - 1) + 1 : 0; }
extern "C" __global__ void recursive(int* x) { x[0] = depth(x[1]); }
struct Large { int values[500]; };
__constant__ int table[33];
extern "C" __global__ void constants(int* x, Large large) { *x = table[threadIdx.x] + large.values[threadIdx.x]; }
template <typename T> __global__ void instance(T* x) { *x = 1; }
template __global__ void instance<double>(double*);
"""
KERNELS = {"plain", "bounded", "tiles", "array", "spills", "calls", "recursive", "constants", "_Z8instanceIdEvPT_"}
TARGETS = [
    *(("13.0", target) for target in ("sm_75", "sm_80", "sm_86", "sm_90a", "sm_100", "sm_103", "sm_120")),
    *(("12.9", target) for target in ("sm_75", "sm_90", "sm_100f", "sm_120")),
]


def cuobjdump(*arguments):
    program = os.environ["KILN_TEST_CUOBJDUMP"]
    return subprocess.run(
        [program, *arguments], stdout=subprocess.PIPE, text=True, timeout=DEADLINE, check=True
    ).stdout


def attributes(binary):
    """The values of each kernel's attributes, as cuobjdump prints them."""
    found = {}
    for section in re.split(r"^\.nv\.info\.", cuobjdump("-elf", binary), flags=re.MULTILINE)[1:]:
        kernel, text = section.split("\n", 1)
        text = text.split("\n\n\n", 1)[0]
        found[kernel] = dict(re.findall(r"Attribute:\t(\w+)\n\tFormat:\t\w+\n\tValue:\t([^<]*)", text))
    return found


def by_cuobjdump(binary):
    """The figures of each function as kiln names them; a stack that is UNKNOWN is a dynamic one."""
    functions = {}
    attributes_of = attributes(binary)
    for function, line in re.findall(r"Function (\S+):\n +(.*)", cuobjdump("-res-usage", binary)):
        printed = dict(item.rsplit(":", 1) for item in line.split())
        info = attributes_of.get(function, {})
        limit = info.get("EIATTR_MAX_THREADS") or info.get("EIATTR_REQNTID", "")
        threads = [int(number, 16) for number in limit.split()]
        functions[function] = {
            "registers": int(printed["REG"]),
            "spill_instructions": info.get("EIATTR_ANNOTATIONS", "").count("SpillRefill") or None,
            "shared_bytes": int(printed["SHARED"]),
            "local_bytes": int(printed["LOCAL"]),
            "stack_bytes": None if printed["STACK"] == "UNKNOWN" else int(printed["STACK"]),
            "constant_bytes": sum(int(size) for bank, size in printed.items() if bank.startswith("CONSTANT")),
            "max_threads": threads[0] * threads[1] * threads[2] if threads else None,
            "dynamic_stack": printed["STACK"] == "UNKNOWN",
        }
    return functions


def shown(kiln, reply):
    """The figures of each kernel by `kiln show`, those that there are; the reply of the compile has the same."""
    show = kiln.json("show", reply["key"])
    assert show["resources"] == reply["resources"]
    return {row.pop("kernel"): row for row in show["resources"]}


def told(figures):
    return {name: figure for name, figure in figures.items() if figure is not None}


def check_figures(kiln, binary, reply, kernels=KERNELS):
    """Gives the figures of each kernel, once they are cuobjdump's."""
    figures = {kernel: told(row) for kernel, row in shown(kiln, reply).items()}
    expected = {kernel: told(row) for kernel, row in by_cuobjdump(binary).items() if kernel in kernels}
    assert expected.keys() == kernels
    assert figures == expected
    return figures


@pytest.mark.toolchains("13.0", "12.9")
@pytest.mark.parametrize("version,target", TARGETS)
def test_the_figures_of_a_cubin_are_those_of_cuobjdump(kiln, work, version, target):
    (work / "k.cu").write_text(SOURCE)
    compile = ("k.cu", "--toolchain", f"nvrtc {version}", "-o", "k.cubin")
    plain = check_figures(kiln, work / "k.cubin", kiln.compile(*compile, target=target))
    assert plain["bounded"]["max_threads"] == 96 and plain["tiles"]["shared_bytes"] >= 2048
    assert plain["array"]["stack_bytes"] >= 400 and "spill_instructions" not in plain["spills"]

    tight = kiln.compile(*compile, "--", "-maxrregcount=32", target=target)
    figures = check_figures(kiln, work / "k.cubin", tight)
    assert figures["spills"]["spill_instructions"] > 100 and figures["spills"]["registers"] == 32

    debug = check_figures(kiln, work / "k.cubin", kiln.compile(*compile, "--", "-G", target=target))
    assert debug["recursive"]["dynamic_stack"] and "stack_bytes" not in debug["recursive"]


@pytest.mark.toolchains("13.0", "12.9")
@pytest.mark.parametrize("version,target", [("13.0", "sm_90"), ("12.9", "sm_75")])
def test_a_relocatable_cubin_does_not_tell_a_stack_where_cuobjdump_prints_none(kiln, work, version, target):
    (work / "k.cu").write_text(SOURCE)
    reply = kiln.compile(
        "k.cu", "--toolchain", f"nvrtc {version}", "-o", "k.cubin", "--", "-rdc=true", target=target
    )
    stack = {"stack_bytes": 0, "dynamic_stack": False}
    figures = {kernel: told(row) | stack for kernel, row in shown(kiln, reply).items()}
    expected = {kernel: told(row) for kernel, row in by_cuobjdump(work / "k.cubin").items() if kernel in KERNELS}
    assert figures == expected
    assert all(row["stack_bytes"] is None for row in kiln.json("show", reply["key"])["resources"])


@pytest.mark.parametrize("version,target", [("13.0", "sm_120"), ("13.0", "sm_80"), ("12.9", "sm_90a")])
def test_the_figures_of_a_cubin_from_ptx_are_those_of_cuobjdump(bin, make_daemon, work, version, target):
    node = make_daemon(toolchains=(nvjitlink_library(version), "12.9"))
    node.start()
    kiln = Kiln(bin, node.socket, work)
    (work / "k.cu").write_text(SOURCE)
    kiln.compile("k.cu", "-o", "k.ptx", target="compute_75")
    ptx = (work / "k.ptx").read_text().rstrip("\0")
    (work / "k.ptx").write_text(f"{ptx}\n.visible .entry required(.param .u64 x) .reqntid 64, 2 {{ ret; }}\n")
    reply = kiln.compile("k.ptx", "-o", "k.cubin", "--", "-maxrregcount=32", target=target)
    figures = check_figures(kiln, work / "k.cubin", reply, KERNELS | {"required"})
    assert figures["spills"]["spill_instructions"] > 100 and figures["required"]["max_threads"] == 128


def test_a_hit_tells_the_same_figures_after_a_restart(kiln, daemon, work):
    (work / "k.cu").write_text(SOURCE)
    first = kiln.compile("k.cu")
    daemon.restart()
    again = kiln.compile("k.cu")
    assert (first["outcome"], again["outcome"]) == ("miss", "hit")
    assert again["resources"] == first["resources"] and len(first["resources"]) == len(KERNELS)


def test_show_prints_a_table_of_what_the_binary_tells(kiln, work):
    (work / "k.cu").write_text(SOURCE)
    reply = kiln.compile("k.cu")
    text = kiln.run("show", reply["key"]).stdout.decode()
    heading, *rows = text.split("\nresources\n")[1].split("\n\n")[0].splitlines()
    assert heading.split("  ")[-1] == "kernel" and "registers" in heading and "wavefront" not in heading
    assert {row.split()[-1] for row in rows} == KERNELS


def test_what_is_no_machine_code_has_no_figures_and_no_problem(kiln, work):
    (work / "k.cu").write_text(SOURCE)
    reply = kiln.compile("k.cu", target="compute_90")
    assert reply["resources"] == [] and "resources_problem" not in reply


def test_a_binary_that_cannot_be_read_is_compiled_all_the_same(bin, make_daemon, work):
    daemon = make_daemon(toolchains=("13.99",))
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    (work / "k.cu").write_text("text")
    reply = kiln.compile("k.cu")
    problem = "the cubin is no ELF file of 64 bits"
    assert (reply["resources"], reply["resources_problem"]) == ([], problem)
    shown = kiln.run("show", reply["key"]).stdout.decode()
    assert re.search(rf"^resources problem +{problem}$", shown, re.MULTILINE)
