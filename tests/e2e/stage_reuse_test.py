"""CUDA for several targets of one virtual architecture: its PTX is generated once, and linked for each target."""

import threading

import pytest

from harness import Exits, Kiln, compiling, linked_directly, nvjitlink_library, wait_for
from kernels import slow

pytestmark = pytest.mark.outputs

VERSIONS = ["13.0", "12.9"]
KERNEL = """#include "factor.h"
template <typename T> __global__ void scale(T* x) {
  __shared__ T tile[128];
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = FACTOR * tile[127 - threadIdx.x] / (1 + tile[threadIdx.x]);
}
"""
NAMES = ("--name-expression", "scale<float>", "--name-expression", "scale<double>")
OPTIONS = [
    (),
    ("--use_fast_math", "-DN=3"),
    ("-G",),
    ("-lineinfo", "--maxrregcount=24"),
    ("-maxrregcount", "40", "--ptxas-options=-O1"),
    ("-Xptxas", "-O2", "-Xptxas=--def-load-cache=cs"),
    ("--device-stack-protector=true", "-w"),
    ("-Ofc", "max"),
    ("-G", "-dopt=on"),
]
# The same for nvJitLink, by hand.
LINK_OPTIONS = [
    (),
    (),
    ("-g",),
    ("-lineinfo", "-maxrregcount=24"),
    ("-maxrregcount=40", "-Xptxas=-O1"),
    ("-Xptxas=-O2", "-Xptxas=--def-load-cache=cs"),
    ("-Xptxas=--device-stack-protector=true", "-Xptxas=-w"),
    ("-Xptxas=--Ofast-compile=max",),
    ("-lineinfo",),
]


TOOLCHAINS = (*VERSIONS, *(nvjitlink_library(version) for version in VERSIONS))


@pytest.fixture
def node(make_daemon):
    """A daemon with both NVRTCs and both nvJitLinks."""
    daemon = make_daemon(toolchains=TOOLCHAINS)
    daemon.start()
    return daemon


@pytest.fixture
def kiln(bin, node, work):
    (work / "k.cu").write_text(KERNEL)
    (work / "factor.h").write_text("#define FACTOR 3\n")
    return Kiln(bin, node.socket, work)


def staged(kiln, target, *arguments, virtual="compute_80", **settings):
    return kiln.compile("k.cu", "--virtual-arch", virtual, *NAMES, *arguments, target=target, **settings)


def linked_without_sources(work, version, *options):
    """direct.ptx linked by nvJitLink itself, which would note sizes and times of the sources that line tables name."""
    (work / "k.cu").rename(work / "moved")
    (work / "factor.h").rename(work / "moved too")
    linked, _ = linked_directly(work, version, "direct.ptx", *options)
    (work / "moved").rename(work / "k.cu")
    (work / "moved too").rename(work / "factor.h")
    return linked


def test_the_next_target_is_linked_and_no_more_to_the_bytes_of_compiling_and_linking(kiln, node, reference, work):
    targets = ("sm_80", "sm_86", "sm_90")
    for version in VERSIONS:
        for options, link_options in zip(OPTIONS, LINK_OPTIONS):
            before = kiln.compiles()
            toolchain = ("--toolchain", f"nvrtc {version}")
            replies = [
                staged(kiln, target, *toolchain, "-o", f"{target}.cubin", "--", *options) for target in targets
            ]
            # One generates the PTX and links it, the others link.
            assert kiln.compiles() == before + 1 + len(targets)
            generated = reference.compile(
                version, "k.cu", [*options, "-arch=compute_80"], ("ptx",), name_expressions=NAMES[1::2]
            )
            (work / "direct.ptx").write_bytes(generated.outputs["ptx"].rstrip(b"\0"))
            for target, reply in zip(targets, replies):
                linked = linked_without_sources(work, version, f"-arch={target}", *link_options)
                assert (work / f"{target}.cubin").read_bytes() == linked, (version, target, options)
                lowered = {one["expression"]: one["lowered"] for one in reply["lowered_names"]}
                assert lowered == generated.lowered_names
                assert reply["toolchain"] == f"nvrtc {version}, nvjitlink {version}"
            assert [reply["outcome"] for reply in replies] == ["miss"] * 3
            assert "first stage was found" in replies[1]["reason"] and "first stage" not in replies[0]["reason"]
    node.restart()
    for version in VERSIONS:
        for options in OPTIONS:
            for target in targets:
                assert staged(kiln, target, "--toolchain", f"nvrtc {version}", "--", *options)["outcome"] == "hit"
    assert kiln.compiles() == 0


def test_the_ptx_is_the_one_that_a_request_for_the_virtual_architecture_has(kiln):
    staged(kiln, "sm_86")
    assert kiln.compile("k.cu", *NAMES, target="compute_80")["outcome"] == "hit"
    kiln.compile("k.cu", *NAMES, target="compute_75")
    before = kiln.compiles()
    assert staged(kiln, "sm_86", virtual="compute_75")["outcome"] == "miss"
    assert kiln.compiles() == before + 1


def test_a_header_is_a_dependency_of_every_target(kiln, work):
    for target in ("sm_80", "sm_86"):
        assert [one["path"] for one in staged(kiln, target)["dependencies"]] == ["<source>/factor.h"]
    (work / "factor.h").write_text("#define FACTOR 5\n")
    changed = staged(kiln, "sm_86")
    assert changed["outcome"] == "miss" and "factor.h" in changed["reason"]
    assert [one["path"] for one in staged(kiln, "sm_86", "--", "-G")["dependencies"]] == ["<source>/factor.h"]
    # A change that reaches no PTX needs no link.
    before = kiln.compiles()
    (work / "factor.h").write_text("#define FACTOR 5 // five\n")
    assert staged(kiln, "sm_86")["outcome"] == "miss"
    assert kiln.compiles() == before + 1


def test_targets_asked_for_at_once_share_one_ptx(kiln):
    targets = ("sm_80", "sm_86", "sm_89", "sm_90")
    threads = [threading.Thread(target=staged, args=(kiln, target)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kiln.compiles() == 1 + len(targets)


def test_the_log_is_that_of_both_stages_under_the_asker_s_name(kiln, work):
    (work / "other.cu").write_text(KERNEL + '#warning "careful"\n__device__ void f() { int unused; }\n')
    (work / "k.cu").write_text((work / "other.cu").read_text())
    options = ("--", "-maxrregcount=8")
    first = staged(kiln, "sm_86", *options)
    again = kiln.compile("other.cu", "--virtual-arch", "compute_80", *NAMES, *options, target="sm_86")
    of_nvrtc, of_nvjitlink = first["log"].split("ptxas warning")
    assert "k.cu(" in of_nvrtc and "careful" in of_nvrtc and "register count of 8" in of_nvjitlink
    assert (again["outcome"], again["log"]) == ("hit", first["log"].replace("k.cu", "other.cu"))


def test_an_error_of_either_stage_is_told_with_what_both_read_and_wrote_and_remembered(kiln, work):
    (work / "k.cu").write_text("#error not today\n")
    replies = [kiln.compile("k.cu", "--virtual-arch", "compute_80", target="sm_86", status=1) for _ in range(2)]
    assert [reply["outcome"] for reply in replies] == ["miss", "hit"]
    assert "not today" in replies[1]["log"] and kiln.compiles() == 1
    # NVRTC takes any assembly; who assembles it does not.
    (work / "k.cu").write_text('#include "factor.h"\n#warning careful\n__global__ void k() { asm("no such instruction;"); }\n')
    replies = [kiln.compile("k.cu", "--virtual-arch", "compute_80", target="sm_86", status=1) for _ in range(2)]
    assert [reply["outcome"] for reply in replies] == ["miss", "hit"]
    for reply in replies:
        assert reply["failure"]["kind"] == "compile_error" and "'k.cu.ptx'" in reply["failure"]["message"]
        assert "careful" in reply["log"] and "ptxas" in reply["log"]
        assert [one["path"] for one in reply["dependencies"]] == ["<source>/factor.h"]
    assert kiln.compiles() == 3


@pytest.mark.parametrize(
    "target,virtual,arguments,kind,said",
    [
        ("sm_80", "compute_90", (), "unsupported_target", ["compute_90", "sm_80", "not newer"]),
        ("sm_100", "compute_90a", (), "unsupported_target", ["compute_90a", "sm_100", "give compute_90"]),
        ("sm_86", "sm_80", (), "invalid_request", ["sm_80", "compute_80"]),
        ("sm_86", "gfx90a", (), "invalid_request", ["gfx90a", "compute_80"]),
        ("sm_86", "fast", (), "unsupported_target", ["fast"]),
        ("compute_86", "compute_80", (), "invalid_request", ["compute_80", "cubin"]),
        ("sm_86", "compute_80", ("-o", "k.ptx"), "invalid_request", ["compute_80", "cubin"]),
        ("sm_86", "compute_80", ("--", "-rdc=true"), "invalid_request", ["'-rdc'", "linked later"]),
        ("sm_86", "compute_80", ("--", "-dlto"), "invalid_request", ["'-dlto'", "linked later"]),
        ("sm_86", "compute_80", ("--", "-arch=sm_86"), "invalid_request", ["'-arch sm_86'", "compute_80"]),
        ("sm_86", "compute_80", ("--language", "ptx"), "invalid_request", ["compute_80", "cuda", "ptx"]),
        ("sm_86", "compute_80", ("--toolchain", "nvjitlink"), "toolchain_unavailable", ["nvjitlink", "cuda"]),
        ("sm_50", "compute_50", ("--toolchain", "nvrtc 13.0"), "unsupported_target", ["sm_50"]),
    ],
)
def test_what_has_no_such_stages_is_refused_and_nothing_is_compiled(
    bin, shared_daemon, work, target, virtual, arguments, kind, said
):
    (work / "k.cu").write_text(KERNEL)
    kiln = Kiln(bin, shared_daemon(*TOOLCHAINS).socket, work)
    before = kiln.compiles()
    failure = kiln.compile("k.cu", "--virtual-arch", virtual, *arguments, target=target, status=4)["failure"]
    assert failure["kind"] == kind
    for text in said:
        assert text in failure["message"]
    assert kiln.compiles() == before


def test_options_that_say_what_the_request_says_are_taken(kiln):
    assert staged(kiln, "sm_86", "--", "-arch=compute_80", "-rdc=false")["outcome"] == "miss"


def test_without_a_linker_as_new_as_the_compiler_nothing_is_generated(bin, make_daemon, work):
    (work / "k.cu").write_text("__global__ void k() {}\n")
    daemon = make_daemon("old", toolchains=(*VERSIONS, nvjitlink_library("12.9")))
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    failure = kiln.compile("k.cu", "--virtual-arch", "compute_80", target="sm_86", status=4)["failure"]
    assert failure["kind"] == "toolchain_unavailable"
    for text in ("ptx", "nvrtc 13.0", '"nvjitlink 12.9"'):
        assert text in failure["message"]
    assert kiln.compiles() == 0
    arguments = ("--virtual-arch", "compute_80", "--toolchain", "nvrtc 12.9")
    assert kiln.compile("k.cu", *arguments, target="sm_86")["toolchain"] == "nvrtc 12.9, nvjitlink 12.9"


def test_a_linker_newer_than_the_compiler_serves(bin, make_daemon, work):
    (work / "k.cu").write_text("__global__ void k() {}\n")
    daemon = make_daemon("new", toolchains=("12.9", nvjitlink_library("13.0")))
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    reply = kiln.compile("k.cu", "--virtual-arch", "compute_80", target="sm_86")
    assert reply["toolchain"] == "nvrtc 12.9, nvjitlink 13.0"
    failure = kiln.compile("k.cu", "--virtual-arch", "compute_50", target="sm_50", status=4)["failure"]
    assert failure["kind"] == "unsupported_target" and "nvjitlink 13.0" in failure["message"]
    assert kiln.compiles() == 2


def test_a_client_that_leaves_leaves_neither_stage(kiln, work):
    (work / "k.cu").write_text(slow(100))
    asking = kiln.start("compile", "k.cu", "--virtual-arch", "compute_80", "--target", "sm_86")
    exits = Exits(wait_for(lambda: compiling(kiln)))
    asking.kill()
    asking.communicate()
    exits.wait()
    wait_for(lambda: not compiling(kiln))
    assert (kiln.compiles(), kiln.json("ls")["entries"]) == (1, [])
