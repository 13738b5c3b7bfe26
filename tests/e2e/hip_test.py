"""HIP through hiprtc: what is its own beside what the conformance suite asks of every frontend."""

import contextlib
import json
import os
import pathlib
import re
import resource
import subprocess
import sys

import pytest

from harness import DEADLINE, ROOT, Kiln, compiling, hiprtc_library, idle_compilers, wait_for
from kernels import SAXPY, slow

pytestmark = pytest.mark.outputs

DIRECT = ROOT / "tests/reference/hiprtc_direct.py"
MISBEHAVING = pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parent / "misbehaving_hiprtc/libhiprtc.so.13.99"
SCRATCH = re.compile(rb"/tmp/comgr-[0-9a-f]{6}")


@pytest.fixture
def node(make_daemon):
    daemon = make_daemon(toolchains=(hiprtc_library(),))
    daemon.start()
    return daemon


@pytest.fixture
def kiln(bin, node, work):
    (work / "k.hip").write_text(SAXPY)
    return Kiln(bin, node.socket, work)


def compile(kiln, *arguments, target="gfx90a", **settings):
    return kiln.compile("k.hip", *arguments, target=target, **settings)


def open_files(process_id):
    names = set()
    for path in pathlib.Path(f"/proc/{process_id}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            names.add(os.readlink(path))
    return names


def test_features_of_a_target_are_put_in_order_and_checked_against_the_processor(kiln, work):
    first = compile(kiln, "-o", "first.hsaco", target="gfx90a:xnack-:sramecc+")
    second = compile(kiln, "-o", "second.hsaco", target="gfx90a:sramecc+:xnack-")
    assert (first["outcome"], second["outcome"]) == ("miss", "hit")
    flags = subprocess.run(["readelf", "-h", work / "first.hsaco"], capture_output=True, text=True, check=True).stdout
    assert "xnack off" in flags and "sramecc on" in flags
    for target in ("gfx1030:xnack+", "gfx90a:tgsplit+", "gfx942"):
        failure = compile(kiln, target=target, status=4)["failure"]
        assert failure["kind"] == "unsupported_target"
        assert target in failure["message"] and "gfx90a:sramecc+:xnack-" in failure["message"]
    assert "each feature once" in compile(kiln, target="gfx90a:xnack+:xnack-", status=4)["failure"]["message"]


def test_each_language_is_told_apart_from_the_other_vendor_s_targets(kiln, work):
    (work / "k.cu").write_text(SAXPY)
    cuda = kiln.compile("k.cu", target="gfx90a", status=4)["failure"]
    hip = compile(kiln, target="sm_90", status=4)["failure"]
    assert cuda["kind"] == hip["kind"] == "unsupported_target"
    assert "is cuda, which is not compiled for gfx90a" in cuda["message"]
    assert "is hip, which is not compiled for sm_90" in hip["message"]
    assert kiln.compile("k.cu", "--language", "hip", target="gfx90a")["outcome"] == "miss"


def test_the_toolchain_is_named_by_its_version_and_made_of_all_that_compiles(kiln):
    (toolchain,) = kiln.json("toolchains")["toolchains"]
    assert toolchain["name"] == "hiprtc 5.2"
    assert {"gfx90a", "gfx1030", "gfx906:sramecc-:xnack+"} <= set(toolchain["targets"])
    assert "gfx942" not in toolchain["targets"]


def test_an_entry_hangs_on_no_tool_header_or_distribution_of_the_machine(kiln, work):
    (work / "lib").mkdir()
    (work / "ld.lld").write_text("")
    (work / "ld.lld").chmod(0o755)
    first = compile(kiln)
    paths = {dependency["path"] for dependency in first["dependencies"]}
    assert paths == {f"<source>/hiprtc_runtime.h{end}" for end in ("", ".gch", ".pch")}
    (work / "lib").rmdir()
    (work / "ld.lld").unlink()
    assert compile(kiln)["outcome"] == "hit"


def test_nothing_of_a_compile_is_left_on_any_disk(kiln, node, work):
    (work / "slow.hip").write_text(slow(100))
    process = kiln.start("compile", "slow.hip", "--target", "gfx90a")
    (child,) = wait_for(lambda: compiling(kiln))
    wait_for(lambda: "/memfd:kiln-scratch (deleted)" in open_files(child))
    assert not [name for name in open_files(child) if name.startswith("/tmp/comgr-")]
    process.kill()
    process.communicate()
    # Under kiln the directory is called the same each time, and debug information tells how.
    assert compile(kiln, "-o", "k.hsaco", "--", "-g")["outcome"] == "miss"
    assert not pathlib.Path(SCRATCH.search((work / "k.hsaco").read_bytes()).group().decode()).exists()


def test_what_comgr_calls_its_directory_is_the_same_each_time(kiln, bin, make_daemon, work):
    """With debug information the name reaches the output."""
    compile(kiln, "-o", "first.hsaco", "--", "-g")
    other = make_daemon("other", toolchains=(hiprtc_library(),))
    other.start()
    compile(Kiln(bin, other.socket, work), "-o", "second.hsaco", "--", "-g")
    assert (work / "first.hsaco").read_bytes() == (work / "second.hsaco").read_bytes()
    texts = []
    for _ in range(2):
        arguments = [hiprtc_library(), "k.hip", "direct.hsaco", "log", "--gpu-architecture=gfx90a", "-g"]
        subprocess.run([sys.executable, DIRECT, *arguments], cwd=work, timeout=DEADLINE, check=True)
        texts.append((work / "direct.hsaco").read_bytes())
    assert SCRATCH.search(texts[0]) and texts[0] != texts[1]
    first = (work / "first.hsaco").read_bytes()
    assert SCRATCH.search(first) and len(first) == len(texts[0])


def test_debug_information_binds_the_working_directory(bin, node, work):
    askers = []
    for name in ("one", "two"):
        (work / name).mkdir()
        (work / name / "k.hip").write_text(SAXPY)
        askers.append(Kiln(bin, node.socket, work / name))
    for outcome in ("miss", "hit"):
        for kiln, name in zip(askers, ("one", "two")):
            assert compile(kiln, "-o", "k.hsaco", "--", "-g")["outcome"] == outcome
            assert str(work / name).encode() in (work / name / "k.hsaco").read_bytes()
    assert compile(askers[0])["outcome"] == "miss"
    assert compile(askers[1])["outcome"] == "hit"


def test_options_that_hiprtc_does_not_know_are_invalid_and_its_log_says_which(kiln):
    reply = compile(kiln, "--", "--bogus", status=4)
    assert reply["failure"]["kind"] == "invalid_request"
    assert "unsupported option '--bogus'" in reply["log"]


def test_bitcode_is_refused_where_hiprtc_has_none_and_yielded_where_it_has(kiln, bin, make_daemon, work):
    failure = compile(kiln, "--output", "bitcode=k.bc", status=4)["failure"]
    assert "hiprtc 5.2 yields no bitcode" in failure["message"]
    daemon = make_daemon("misbehaving", toolchains=(MISBEHAVING,))
    daemon.start()
    other = Kiln(bin, daemon.socket, work)
    reply = compile(other, "--output", "bitcode=k.bc", "--output", "hsaco=k.hsaco")
    assert [output["kind"] for output in reply["outputs"]] == ["hsaco", "bitcode"]
    assert b"option -fgpu-rdc" in (work / "k.bc").read_bytes()
    assert b"option -fgpu-rdc" not in (work / "k.hsaco").read_bytes()
    assert compile(other, "--output", "bitcode=k.bc")["outcome"] == "miss"
    assert "-fgpu-rdc" in compile(other, "--", "-fgpu-rdc", status=4)["failure"]["message"]


def by_readelf(binary):
    """The figures of each kernel as kiln names them, by what llvm-readelf prints of the code object's metadata."""
    names = {
        "vgpr_count": "registers",
        "sgpr_count": "scalar_registers",
        "agpr_count": "accumulation_registers",
        "vgpr_spill_count": "spilled_registers",
        "sgpr_spill_count": "spilled_scalar_registers",
        "group_segment_fixed_size": "shared_bytes",
        "private_segment_fixed_size": "local_bytes",
        "max_flat_workgroup_size": "max_threads",
        "wavefront_size": "wavefront_size",
        "uses_dynamic_stack": "dynamic_stack",
    }
    printed = subprocess.run(["llvm-readelf", "--notes", binary], capture_output=True, text=True, check=True).stdout
    kernels = {}
    for text in re.split(r"^  - (?=\.)", printed, flags=re.MULTILINE)[1:]:
        values = dict(re.findall(r"^(?:    )?\.(\w+): +(\S+)$", text, re.MULTILINE))
        told = {names[key]: value for key, value in values.items() if key in names}
        kernels[values["name"]] = {
            name: value == "true" if name == "dynamic_stack" else int(value) for name, value in told.items()
        }
    return kernels


RESOURCES = """
extern "C" __global__ void plain(float* x) { x[threadIdx.x] *= 2; }
extern "C" __global__ void __launch_bounds__(128) tiles(float* x) {
  __shared__ float tile[256];
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = tile[255 - threadIdx.x];
}
extern "C" __global__ void array(float* x, int n) {
  float a[100];
  for (int i = 0; i < 100; i++) a[i] = x[i];
  for (int i = 0; i < n; i++) a[(i * 7) % 100] += a[n % 100];
  x[0] = a[n % 100];
}
"""


@pytest.mark.parametrize("target,options", [("gfx90a", ()), ("gfx1030", ()), ("gfx906", ("-mcode-object-version=5",))])
def test_the_figures_of_a_code_object_are_those_of_llvm_readelf(kiln, work, target, options):
    (work / "k.hip").write_text(RESOURCES)
    reply = compile(kiln, "-o", "k.hsaco", "--", *options, target=target)
    shown = kiln.json("show", reply["key"])["resources"]
    assert shown == reply["resources"]
    figures = {row["kernel"]: {name: value for name, value in row.items() if value is not None} for row in shown}
    expected = by_readelf(work / "k.hsaco")
    assert {name: figure | {"kernel": name} for name, figure in expected.items()} == figures
    assert figures["tiles"]["shared_bytes"] == 1024 and figures["tiles"]["max_threads"] == 128
    assert figures["array"]["local_bytes"] >= 400 and figures["plain"]["local_bytes"] == 0
    assert "wavefront" in kiln.run("show", reply["key"]).stdout.decode()


def test_a_source_that_includes_itself_by_name_is_served_under_that_name_alone(kiln, work):
    text = "#ifndef ONCE\n#define ONCE\n#include <k.hip>\n#endif\n" + SAXPY
    (work / "k.hip").write_text(text)
    assert compile(kiln, "-I", ".", status=1)["outcome"] == "miss"  # saxpy is there twice
    (work / "m.hip").write_text(text)
    (work / "k.hip").write_text("")
    reply = kiln.compile("m.hip", "-I", ".", target="gfx90a")
    assert (reply["outcome"], reply["outputs"] != []) == ("miss", True)


@pytest.mark.parametrize(
    "options", [("-Xclang", "-debug-info-kind=limited"), ("-frecord-command-line",), ("-Xclang", "-fembed-bitcode=all")]
)
def test_options_that_embed_directories_by_the_back_door_bind_them(bin, node, work, options):
    for name in ("one", "two"):
        (work / name / f"inc_{name}").mkdir(parents=True)
        (work / name / "k.hip").write_text(SAXPY)
        kiln = Kiln(bin, node.socket, work / name)
        assert compile(kiln, "-I", f"inc_{name}", "--", *options)["outcome"] == "miss"


def test_system_include_directories_may_be_called_as_clang_s_own_places_are(kiln, work):
    (work / "lib").mkdir()
    (work / "lib/v.h").write_text("#define V 1\n")
    (work / "k.hip").write_text('#include <v.h>\nextern "C" __global__ void k(int* x) { *x = V; }\n')
    for options in (("-isystem", "lib"), ("-isystemlib",), ("-idirafter", "lib")):
        assert compile(kiln, "--", *options)["outcome"] == "miss"


def test_want_of_descriptors_is_no_error_of_the_source(kiln, work):
    (work / "some.h").write_text("// nothing\n")
    headers = {
        count: [argument for number in range(count) for argument in ("--header", f"h{number}.h=some.h")]
        for count in range(70, 96, 3)  # as many as leave one too few for each of the files behind them
    }
    compile(kiln)
    for process in idle_compilers(kiln).values():
        resource.prlimit(process, resource.RLIMIT_NOFILE, (100, 100))
    replies = [
        json.loads(kiln.run("--json", "compile", "k.hip", "--target", "gfx90a", *given).stdout)
        for given in headers.values()
    ]
    failed = [reply for reply in replies if "failure" in reply]
    assert {reply["failure"]["kind"] for reply in failed} >= {"compile_error"}
    assert all(reply["not_remembered"] for reply in failed)
