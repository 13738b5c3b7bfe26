"""PTX through nvJitLink: `kiln compile k.ptx`, as far as it is not like any other language (tests/conformance)."""

import json
import os
import resource

import pytest

from harness import Kiln, address_space, limited, linked_directly, nvjitlink_library, nvrtc_library
from kernels import SAXPY

pytestmark = pytest.mark.outputs

VERSIONS = ["13.0", "12.9"]
SANITIZED = "asan" in os.environ["KILN_TEST_REFERENCE"]
SCALE = """// made by hand
.version 8.0
.target sm_80
.address_size 64
.visible .entry scale(.param .u64 data, .param .f32 by)
{
  .reg .b64 %rd<5>;
  .reg .b32 %r<2>;
  .reg .f32 %f<4>;
  ld.param.u64 %rd1, [data];
  ld.param.f32 %f1, [by];
  cvta.to.global.u64 %rd2, %rd1;
  mov.u32 %r1, %tid.x;
  mul.wide.u32 %rd3, %r1, 4;
  add.s64 %rd4, %rd2, %rd3;
  ld.global.f32 %f2, [%rd4];
  mul.f32 %f3, %f1, %f2;
  st.global.f32 [%rd4], %f3;
  ret;
}
"""


# Both nvJitLinks, and NVRTC beside them.
TOOLCHAINS = (*(nvjitlink_library(version) for version in VERSIONS), "13.0")


@pytest.fixture
def kiln(bin, make_daemon, work):
    """Asks a daemon of its own."""
    daemon = make_daemon(toolchains=TOOLCHAINS)
    daemon.start()
    return Kiln(bin, daemon.socket, work)


@pytest.fixture
def shared(bin, shared_daemon, work):
    """Asks a daemon that other tests ask too."""
    return Kiln(bin, shared_daemon(*TOOLCHAINS).socket, work)


def test_every_target_that_is_listed_compiles_and_no_other(kiln, work):
    (work / "k.ptx").write_text(SCALE.replace("8.0", "7.0").replace("sm_80", "sm_50"))
    listed = {toolchain["name"]: toolchain["targets"] for toolchain in kiln.json("toolchains")["toolchains"]}
    for version in VERSIONS:
        for target in listed[f"nvjitlink {version}"]:
            assert kiln.compile("k.ptx", "--toolchain", f"nvjitlink {version}", target=target)["outcome"] == "miss"
    for target in ("sm_51", "sm_99", "sm_119f"):
        failure = kiln.compile("k.ptx", "--toolchain", "nvjitlink 12.9", target=target, status=4)["failure"]
        assert failure["kind"] == "unsupported_target" and "sm_90a" in failure["message"]


def test_a_log_shows_the_asker_s_name_for_a_source_with_a_random_one(kiln, folder, work):
    environment = kiln.environment | {"TMPDIR": str(folder / "tmp")}
    for text, said in ((SCALE.replace("mul.f32", "mulf32"), "JIT the PTX ("), ("hello", "INPUT_PTX")):
        outcomes = []
        for number in range(2):
            source = folder / f"tmp/{number}/k{number}.ptx"
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(text)
            reply = kiln.compile(source, status=1, env=environment)
            assert said + str(source) in reply["log"]
            outcomes.append(reply["outcome"])
        assert outcomes == ["miss", "hit"]


def test_what_ptx_is_called_and_where_never_matters(kiln, work):
    outcomes = []
    for name in ("a.ptx", "deep/other name.ptx"):
        path = work / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(SCALE)
        outcomes += [kiln.compile(path.name, "--", "-lineinfo", cwd=path.parent)["outcome"]]
        outcomes += [kiln.compile("-", "--language", "ptx", "--", "-lineinfo", input=SCALE.encode())["outcome"]]
    assert outcomes == ["miss", "hit", "hit", "hit"]


def test_every_part_of_the_request_counts(kiln, work):
    (work / "k.ptx").write_text(SCALE)
    (work / "other.ptx").write_text(SCALE.replace("mul.f32", "add.f32"))
    requests = [
        ("k.ptx", "sm_90", ()),
        ("k.ptx", "sm_80", ()),
        ("other.ptx", "sm_90", ()),
        ("k.ptx", "sm_90", ("--", "-O0")),
        ("k.ptx", "sm_90", ("--toolchain", "nvjitlink 12.9")),
    ]
    replies = [kiln.compile(source, *arguments, target=target) for source, target, arguments in requests]
    assert [reply["outcome"] for reply in replies] == ["miss"] * len(requests)
    assert len({reply["outputs"][0]["sha256"] for reply in replies}) == len(requests)


@pytest.mark.parametrize("option", ["-lineinfo", "-g"])
def test_a_source_that_line_tables_name_is_no_file_of_the_request(kiln, folder, work, option):
    """nvJitLink notes how large and how old it is: here it is elsewhere, where nothing may be read."""
    source = folder / "made.py"
    lines = SCALE.replace("{\n", "{\n  .loc 1 4 7\n", 1) + f'.file 1 "{source}"\n.file 2 "beside.py"\n'
    (work / "k.ptx").write_text(lines)
    expected, _ = linked_directly(work, "13.0", "k.ptx", "-arch=sm_90", option)
    assert expected != linked_directly(work, "13.0", "k.ptx", "-arch=sm_90")[0]
    for outcome, content in (("miss", "one\n"), ("hit", "another\n")):
        source.write_text(content)
        (work / "beside.py").write_text(content)
        reply = kiln.compile("k.ptx", "-o", "k.cubin", "--", option)
        assert (reply["outcome"], reply["dependencies"]) == (outcome, [])
        assert (work / "k.cubin").read_bytes() == expected
    assert linked_directly(work, "13.0", "k.ptx", "-arch=sm_90", option)[0] != expected
    assert kiln.json("show", reply["key"])["names_bind"] is False


def test_ptx_as_nvrtc_hands_it_out_is_taken_with_its_terminator(shared, work):
    (work / "s.cu").write_text(SAXPY)
    shared.compile("s.cu", "-o", "s.ptx", target="compute_80")
    plain = shared.compile("s.ptx")
    (work / "s.ptx").write_bytes((work / "s.ptx").read_bytes() + b"\0")
    terminated = shared.compile("s.ptx")
    assert plain["outputs"][0]["sha256"] == terminated["outputs"][0]["sha256"]
    (work / "s.ptx").write_bytes(SCALE.encode().replace(b".address_size", b"\0.address_size"))
    assert "NUL" in shared.compile("s.ptx", status=4)["failure"]["message"]


@pytest.mark.parametrize(
    "ptx,options,kind,said",
    [
        (SCALE.replace("sm_80", "sm_100a"), (), "unsupported_target", ["sm_100a", "8.0", "sm_90"]),
        (SCALE.replace("sm_80", "sm_90a"), (), "unsupported_target", ["sm_90a", "sm_90;"]),
        (SCALE.replace("8.0", "9.9"), (), "compile_error", [".version 9.9", "nvJitLink 13.0"]),
        (SCALE.replace("mul.f32", "mulf32"), (), "compile_error", ["its log shows"]),
        (SCALE.replace("ret;", "call helper;\n ret;").replace(".visible", ".extern .func helper();\n.visible"), (),
         "compile_error", ["cannot link"]),
        (SCALE.replace(".reg .b32", ".shared .b8 much[300000];\n  .reg .b32"), (), "compile_error", ["log shows"]),
        (SCALE, ("-Xptxas=-no-such-option",), "invalid_request", ["refuses an option"]),
        ("__global__ void k() {}", (), "compile_error", ["no PTX"]),
        ("", (), "compile_error", ["no PTX"]),
        (SCALE, ("-time",), "invalid_request", ["'-time'", "leave it out"]),
        (SCALE, ("-lto",), "invalid_request", ["'-lto'", "'k.ptx' is PTX", "leave it out"]),
        (SCALE, ("-arch=sm_80",), "invalid_request", ["'-arch=sm_80'", "target"]),
        (SCALE, ("--no-such-option",), "invalid_request", ["refuses an option"]),
    ],
)
def test_what_cannot_be_compiled_is_told_by_its_own_failure(shared, work, ptx, options, kind, said):
    (work / "k.ptx").write_text(ptx)
    replies = [
        shared.compile("k.ptx", "--", *options, status=1 if kind == "compile_error" else 4) for _ in range(2)
    ]
    for reply in replies:
        assert reply["failure"]["kind"] == kind
        for text in ("k.ptx", *said) if kind != "invalid_request" else said:
            assert text in reply["failure"]["message"]
    assert replies[1]["outcome"] == ("hit" if kind == "compile_error" else "miss")
    assert replies[0]["log"] == replies[1]["log"]


@pytest.mark.skipif(SANITIZED, reason="the sanitizer ends a process that is refused memory")
def test_refused_memory_is_not_remembered(bin, make_daemon, work):
    daemon = make_daemon(toolchains=(nvjitlink_library("13.0"),))
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    (work / "k.ptx").write_text(SCALE)
    kiln.compile("k.ptx")
    size, refused = address_space(kiln), 0
    for margin in range(0, 1200, 60):
        (work / "k.ptx").write_text(f"// {margin}\n" + SCALE)
        with limited(kiln, resource.RLIMIT_AS, size + (margin << 10)):
            reply = json.loads(kiln.run("--json", "compile", "k.ptx", "--target", "sm_90").stdout)
        if "failure" in reply:
            refused += 1
            assert reply["failure"]["kind"] in ("memory_limit", "compiler_crash"), (margin, reply)
            assert kiln.compile("k.ptx")["outcome"] == "miss"
    assert refused > 0


def test_a_virtual_target_and_parts_of_other_languages_are_refused(shared, work):
    (work / "k.ptx").write_text(SCALE)
    (work / "v.h").write_text("")
    assert "compute_90" in shared.compile("k.ptx", target="compute_90", status=4)["failure"]["message"]
    for arguments in (("-I", "."), ("--header", "v.h=v.h"), ("--name-expression", "scale"), ("--output", "ltoir=x")):
        assert shared.compile("k.ptx", *arguments, status=4)["failure"]["kind"] == "invalid_request"


def test_each_language_has_its_own_toolchains(shared, work):
    (work / "k.ptx").write_text(SCALE)
    (work / "s.cu").write_text(SAXPY)
    assert shared.compile("k.ptx")["toolchain"] == "nvjitlink 13.0"
    assert shared.compile("s.cu")["toolchain"] == "nvrtc 13.0"
    for source, toolchain, known in (("k.ptx", "nvrtc", "nvjitlink 12.9"), ("s.cu", "nvjitlink", "nvrtc 13.0")):
        failure = shared.compile(source, "--toolchain", toolchain, status=4)["failure"]
        assert failure["kind"] == "toolchain_unavailable" and known in failure["message"]
    assert "PTX" not in shared.compile("k.ptx", "--language", "cuda", status=1)["failure"]["message"]


def test_a_node_with_nvrtc_alone_says_what_ptx_needs(bin, make_daemon, work):
    daemon = make_daemon(toolchains=(nvrtc_library("13.0"),))
    daemon.start()
    (work / "k.ptx").write_text(SCALE)
    failure = Kiln(bin, daemon.socket, work).compile("k.ptx", status=4)["failure"]
    assert failure["kind"] == "toolchain_unavailable" and "ptx" in failure["message"]
