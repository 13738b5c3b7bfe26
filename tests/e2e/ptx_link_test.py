"""Several inputs in one ptx request, PTX and LTO IR: held against nvJitLink called without kiln."""

import json
import os
import pathlib
import resource
import shutil
import tempfile

import pytest

from harness import Kiln, address_space, limited, linked_directly, nvjitlink_library

pytestmark = pytest.mark.outputs

VERSIONS = ["13.0", "12.9"]
SANITIZED = "asan" in os.environ["KILN_TEST_REFERENCE"]
KERNEL = """extern __device__ float twist(float);
__device__ int counter;
extern "C" __global__ void k(float* p) { p[threadIdx.x] = twist(p[threadIdx.x]); }
extern "C" __global__ void plain(float* p) { p[threadIdx.x] *= 2; }
"""
TWIST = "__device__ float twist(float x) { return x * 3 + 1; }\n"
HEAD = ".version 8.0\n.target sm_80\n.address_size 64\n"
DOUBLE = HEAD + ".visible .func (.reg .f32 r) twist(.reg .f32 x) { add.f32 r, x, x; ret; }\n"
CALLER = (
    HEAD
    + """.extern .func (.reg .f32 r) twist(.reg .f32 x);
.visible .entry k(.param .u64 p) {
  .reg .b64 %rd<3>;
  .reg .f32 %f<3>;
  ld.param.u64 %rd1, [p];
  cvta.to.global.u64 %rd2, %rd1;
  ld.global.f32 %f1, [%rd2];
  call (%f2), twist, (%f1);
  st.global.f32 [%rd2], %f2;
  ret;
}
"""
)


TOOLCHAINS = (*(nvjitlink_library(version) for version in VERSIONS), *VERSIONS)


@pytest.fixture
def node(make_daemon):
    """A daemon with both nvJitLinks, and both NVRTCs beside them."""
    daemon = make_daemon(toolchains=TOOLCHAINS)
    daemon.start()
    return daemon


@pytest.fixture
def kiln(bin, node, work):
    return Kiln(bin, node.socket, work)


@pytest.fixture
def shared(bin, shared_daemon, work):
    """Asks a daemon like `node` that other tests ask too."""
    return Kiln(bin, shared_daemon(*TOOLCHAINS).socket, work)


@pytest.fixture(scope="session")
def compiled_inputs(bin, shared_daemon):
    """A folder with k and twist in it as k.ptx, k.12.9.ltoir and so on; caller.ptx and double.ptx beside them."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kiln-"))
    kiln = Kiln(bin, shared_daemon(*TOOLCHAINS).socket, folder)
    for name, source in (("k", KERNEL), ("twist", TWIST)):
        (folder / f"{name}.cu").write_text(source)
        compiled = ("compile", f"{name}.cu", "--target", "compute_80")
        kiln.json(*compiled, "--toolchain", "nvrtc 12.9", "-o", f"{name}.ptx", "--", "-rdc=true")
        for version in VERSIONS:
            ltoir = ("--output", f"ltoir={name}.{version}.ltoir", "--", "-dlto")
            kiln.json(*compiled, "--toolchain", f"nvrtc {version}", *ltoir)
    (folder / "caller.ptx").write_text(CALLER)
    (folder / "double.ptx").write_text(DOUBLE)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def inputs(compiled_inputs, work):
    """The same in the working folder."""
    shutil.copytree(compiled_inputs, work, dirs_exist_ok=True)


def test_inputs_are_linked_once_to_the_bytes_that_nvjitlink_gives(kiln, node, work, inputs):
    cases = []
    for version in VERSIONS:
        k, twist = f"k.{version}.ltoir", f"twist.{version}.ltoir"
        cases += [
            (version, ("k.ptx", "twist.ptx"), ()),
            (version, ("twist.ptx", "k.ptx"), ("-lineinfo",)),
            (version, ("caller.ptx", "double.ptx", "twist.ptx"), ("-O0", "-g")),
            (version, ("k.ptx", twist), ("-lto",)),
            (version, (twist, "k.ptx"), ("-lto",)),
            (version, (k, twist), ("-lto", "-maxrregcount=24", "-O3")),
            (version, (k, twist), ("-lto", "-lineinfo")),
            (version, (k, twist), ("-lto", "-g")),
            (version, (k, twist), ("-lto", "-ftz=1", "-fma=0", "-Xptxas=-O1")),
            (version, (k, twist), ("-lto", "-kernels-used=plain")),
            (version, (k, twist), ("-lto", "-variables-used=counter", "-optimize-unused-variables")),
        ]
    cases.append(("13.0", ("k.12.9.ltoir", "twist.13.0.ltoir"), ("-lto",)))
    before = kiln.compiles()
    for outcome in ("miss", "hit"):
        for version, inputs, options in cases:
            arguments = ("--toolchain", f"nvjitlink {version}", "-o", "k.cubin", "--", *options)
            reply = kiln.compile(*inputs, *arguments, target="sm_90")
            expected, log = linked_directly(work, version, *inputs, "-arch=sm_90", *options)
            assert (work / "k.cubin").read_bytes() == expected, (version, inputs, options)
            assert (reply["outcome"], reply["log"]) == (outcome, log), (version, inputs, options)
        if outcome == "miss":
            assert kiln.compiles() == before + len(cases)
            node.restart()
    assert kiln.compiles() == 0


def test_every_input_and_their_order_count_and_what_they_are_called_does_not(kiln, work, inputs):
    assert kiln.compile("k.ptx", "twist.ptx")["outcome"] == "miss"
    swapped = kiln.compile("twist.ptx", "k.ptx")
    assert (swapped["outcome"], kiln.compile("k.ptx", "twist.ptx")["outcome"]) == ("miss", "hit")
    for name in ("a", "b"):
        (work / f"{name}.ptx").write_text(DOUBLE.replace("twist", name))
    assert kiln.compile("k.ptx", "twist.ptx", "a.ptx", "b.ptx")["reason"] == (
        "the same source was seen with 1 further inputs, not 3"
    )
    assert kiln.compile("k.ptx", "twist.ptx", "b.ptx", "a.ptx")["outcome"] == "miss"
    (work / "a.ptx").write_text(DOUBLE.replace("twist", "c"))
    assert kiln.compile("k.ptx", "twist.ptx", "a.ptx", "b.ptx")["outcome"] == "miss"
    (work / "twist.ptx").rename(work / "other name.ptx")
    assert kiln.compile("k.ptx", "other name.ptx")["outcome"] == "hit"


def test_one_input_alone_may_be_lto_ir(shared, work, inputs):
    reply = shared.compile("twist.13.0.ltoir", "-o", "k.cubin", "--", "-lto")
    expected, _ = linked_directly(work, "13.0", "twist.13.0.ltoir", "-arch=sm_90", "-lto")
    assert (work / "k.cubin").read_bytes() == expected and reply["toolchain"] == "nvjitlink 13.0"


def test_an_entry_shows_its_inputs(shared, inputs):
    key = shared.compile("k.ptx", "twist.ptx", "double.ptx")["key"]
    shown = shared.json("show", key)
    assert [len(digest) for digest in shown["input_sha256"]] == [64, 64]


def test_logs_show_the_asker_s_names_for_further_inputs(kiln, folder, work, inputs):
    outcomes = []
    for name in ("first.ptx", "deep/second.ptx", "/elsewhere/third one.ptx"):
        path = folder / name.lstrip("/") if name.startswith("/") else work / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(DOUBLE.replace("add.f32", "addf32"))
        reply = kiln.compile("caller.ptx", path if name.startswith("/") else name, status=1)
        name = str(path) if name.startswith("/") else name
        assert f"JIT the PTX ({name})" in reply["log"]
        assert f"compiling '{name}'" in reply["failure"]["message"]
        outcomes.append(reply["outcome"])
    assert outcomes == ["miss", "hit", "hit"]


def test_a_symbol_that_two_inputs_define_is_an_error_that_names_both(kiln, work, inputs):
    for version in VERSIONS:
        arguments = ("caller.ptx", "double.ptx", "again.ptx", "--toolchain", f"nvjitlink {version}")
        (work / "again.ptx").write_text(DOUBLE.replace("add.f32 r, x, x", "mov.f32 r, x"))
        replies = [kiln.compile(*arguments, status=1) for _ in range(2)]
        assert [reply["outcome"] for reply in replies] == ["miss", "hit"]
        for reply in replies:
            assert reply["failure"]["kind"] == "compile_error" and "cannot link" in reply["failure"]["message"]
            assert "compiling 'again.ptx'" in reply["failure"]["message"]
            assert "Multiple definition of 'twist' in 'again.ptx', first defined in 'double.ptx'" in reply["log"]


def test_a_symbol_that_no_input_defines_is_an_error_that_names_who_wants_it(shared, work, inputs):
    for version in VERSIONS:
        toolchain = ("--toolchain", f"nvjitlink {version}")
        (work / "alone.ptx").write_text(DOUBLE.replace("twist", "alone"))
        reply = shared.compile("alone.ptx", "caller.ptx", *toolchain, status=1)
        assert reply["failure"]["kind"] == "compile_error"
        assert "Undefined reference to 'twist' in 'caller.ptx'" in reply["log"]
        assert reply["log"] == linked_directly(work, version, "alone.ptx", "caller.ptx", "-arch=sm_90")[1]
        reply = shared.compile(f"k.{version}.ltoir", *toolchain, "--", "-lto", status=1)
        assert reply["failure"]["kind"] == "compile_error" and "twist" in reply["log"]


@pytest.mark.parametrize(
    "arguments,kind,said",
    [
        (("k.13.0.ltoir", "twist.13.0.ltoir"), "invalid_request", ["'k.13.0.ltoir' is LTO IR", "-lto"]),
        (("k.ptx", "twist.13.0.ltoir"), "invalid_request", ["'twist.13.0.ltoir' is LTO IR", "-lto"]),
        (("k.ptx", "twist.ptx", "--", "-lto"), "invalid_request", ["'-lto'", "'k.ptx' and what is linked"]),
        (("k.12.9.ltoir", "twist.12.9.ltoir", "--", "-lto", "-split-compile=2"), "invalid_request", ["threads"]),
        (("k.12.9.ltoir", "twist.12.9.ltoir", "--", "-lto", "-ptx"), "invalid_request", ["'-ptx'"]),
        (("k.12.9.ltoir", "twist.12.9.ltoir", "--", "-lto", "-ftz=true"), "invalid_request", ["refuses an option"]),
        (("k.ptx", "new.ptx"), "unsupported_target", ["'new.ptx'", "sm_100a", "8.7", "sm_90"]),
        (("k.ptx", "newer.ptx"), "compile_error", ["compiling 'newer.ptx'", ".version 9.9", "nvJitLink"]),
        (("k.ptx", "nul.ptx"), "invalid_request", ["'nul.ptx'", "NUL"]),
        (("k.ptx", "k.cubin"), "compile_error", ["compiling 'k.cubin'", "no PTX and no LTO IR"]),
        (("k.12.9.ltoir", "cut.ltoir", "--", "-lto"), "compile_error", ["its log shows"]),
        (("k.cu", "twist.ptx"), "invalid_request", ["'twist.ptx'", "cuda", "one source"]),
    ],
)
def test_what_cannot_be_linked_is_told_by_its_own_failure(shared, work, inputs, arguments, kind, said):
    (work / "new.ptx").write_text(DOUBLE.replace("8.0", "8.7").replace("sm_80", "sm_100a"))
    (work / "newer.ptx").write_text(DOUBLE.replace("8.0", "9.9"))
    (work / "nul.ptx").write_text(DOUBLE.replace(".visible", "\0.visible"))
    (work / "k.cubin").write_bytes(b"\x7fELF\2\1\1")
    (work / "cut.ltoir").write_bytes((work / "twist.12.9.ltoir").read_bytes()[:300])
    for version in VERSIONS if arguments[0] != "k.cu" and "13.0" not in str(arguments) else ["13.0"]:
        at = arguments.index("--") if "--" in arguments else len(arguments)
        named = () if arguments[0] == "k.cu" else ("--toolchain", f"nvjitlink {version}")
        status = 1 if kind == "compile_error" else 4
        reply = shared.compile(*arguments[:at], *named, *arguments[at:], status=status)
        assert reply["failure"]["kind"] == kind
        for text in said:
            assert text in reply["failure"]["message"]


def test_lto_ir_of_a_newer_compiler_or_a_later_architecture_is_told_as_that(shared, work, inputs):
    arguments = ("k.12.9.ltoir", "twist.13.0.ltoir", "--toolchain", "nvjitlink 12.9", "--", "-lto")
    failure = shared.compile(*arguments, status=1)["failure"]
    assert failure["kind"] == "compile_error"
    for text in ("'twist.13.0.ltoir'", "newer compiler than nvJitLink 12.9", "newer toolchain"):
        assert text in failure["message"]
    for version in VERSIONS:
        inputs = (f"k.{version}.ltoir", f"twist.{version}.ltoir", "--toolchain", f"nvjitlink {version}")
        failure = shared.compile(*inputs, "--", "-lto", target="sm_75", status=4)["failure"]
        assert failure["kind"] == "unsupported_target"
        assert f"'k.{version}.ltoir'" in failure["message"] and "later architecture" in failure["message"]


def test_more_inputs_than_kilnd_takes_are_refused(shared, work, inputs):
    failure = shared.compile("caller.ptx", *["double.ptx"] * 1001, status=4)["failure"]
    assert failure["kind"] == "invalid_request" and "1001 further inputs" in failure["message"]


@pytest.mark.skipif(SANITIZED, reason="the sanitizer ends a process that is refused memory")
def test_memory_refused_to_a_link_is_not_remembered(bin, make_daemon, work, kiln, inputs):
    daemon = make_daemon("small", toolchains=(nvjitlink_library("13.0"),))
    daemon.start()
    small = Kiln(bin, daemon.socket, work)
    small.compile("k.13.0.ltoir", "twist.13.0.ltoir", "--", "-lto")
    size, refused = address_space(small), 0
    for margin in range(0, 4000, 200):
        (work / "more.ptx").write_text(f"// {margin}\n" + DOUBLE.replace("twist", "more"))
        arguments = ("k.13.0.ltoir", "twist.13.0.ltoir", "more.ptx", "--target", "sm_90")
        with limited(small, resource.RLIMIT_AS, size + (margin << 10)):
            reply = json.loads(small.run("--json", "compile", *arguments, "--", "-lto").stdout)
        if "failure" in reply:
            refused += 1
            assert reply["failure"]["kind"] in ("memory_limit", "compiler_crash"), (margin, reply)
            assert small.compile(*arguments[:3], "--", "-lto")["outcome"] == "miss"
    assert refused > 0
