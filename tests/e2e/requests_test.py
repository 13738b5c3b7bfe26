"""Toolchains side by side, what kiln refuses and how it says so, and a kilnd that is not there."""

import hashlib

import pytest

from harness import Exits, Kiln, children, nvrtc_library
from kernels import SAXPY


@pytest.fixture
def saxpy(work):
    (work / "saxpy.cu").write_text(SAXPY)
    return "saxpy.cu"


@pytest.mark.toolchains("13.0", "12.9")
def test_two_toolchains_stand_side_by_side_and_the_newest_is_the_default(kiln):
    toolchains = {toolchain["name"]: toolchain for toolchain in kiln.json("toolchains")["toolchains"]}
    assert set(toolchains) == {"nvrtc 13.0", "nvrtc 12.9"}
    assert toolchains["nvrtc 13.0"]["default"] and not toolchains["nvrtc 12.9"]["default"]
    for version in ("13.0", "12.9"):
        toolchain = toolchains[f"nvrtc {version}"]
        assert toolchain["problem"] is None
        assert "sm_90" in toolchain["targets"]
        assert toolchain["library"] == str(nvrtc_library(version).resolve())
    assert toolchains["nvrtc 13.0"]["identity"] != toolchains["nvrtc 12.9"]["identity"]


@pytest.mark.toolchains("13.0", "12.9")
def test_a_request_is_compiled_by_the_toolchain_that_it_names(kiln, saxpy):
    for name in ("nvrtc 12.9", "nvrtc 13.0"):
        assert kiln.compile(saxpy, "--toolchain", name)["toolchain"] == name
    assert kiln.compile(saxpy, "--toolchain", "nvrtc")["toolchain"] == "nvrtc 13.0"
    assert kiln.compile(saxpy)["toolchain"] == "nvrtc 13.0"


@pytest.mark.parametrize(
    "options,named",
    [
        (("-arch=sm_80",), "sm_80"),
        (("--time=time.csv",), "--time"),
        (("--pch",), "--pch"),
    ],
)
def test_an_option_that_cannot_be_served_is_refused_with_what_is_wrong_with_it(kiln, saxpy, options, named):
    reply = kiln.compile(saxpy, "--", *options, status=4)
    assert reply["failure"]["kind"] == "invalid_request"
    assert named in reply["failure"]["message"]
    assert kiln.compiles() == 0


def test_an_arch_among_the_options_that_agrees_with_the_target_changes_nothing(kiln, saxpy):
    first = kiln.compile(saxpy)
    again = kiln.compile(saxpy, "--", "-arch=sm_90")
    assert (again["outcome"], again["key"]) == ("hit", first["key"])


def test_a_failed_compile_says_whether_it_comes_from_the_cache(kiln, work):
    (work / "k.cu").write_text("__global__ void k() { nothing; }\n")
    said = []
    for _ in range(2):
        result = kiln.run("compile", "k.cu", "--target", "sm_90")
        assert result.returncode == 1
        assert b'"nothing" is undefined' in result.stderr
        said.append(result.stderr.decode().splitlines()[-1])
    assert said[0].startswith("kiln: compile_error: ") and said[0].endswith("NVRTC found errors, as its log shows")
    assert said[1] == said[0].replace("compile_error", "compile_error (from the cache)")
    assert kiln.compiles() == 1


def test_a_file_of_the_command_line_that_cannot_be_read_is_a_usage_error(kiln):
    result = kiln.run("compile", "missing.cu", "--target", "sm_90")
    assert result.returncode == 2
    assert b"missing.cu" in result.stderr


def test_an_output_that_cannot_be_written_leaves_none_of_them(kiln, work, saxpy):
    result = kiln.run(
        "compile", saxpy, "--target", "sm_90", "--output", "cubin=k.cubin", "--output", "ptx=no/such/folder/k.ptx"
    )
    assert result.returncode == 2
    assert b"no/such/folder/k.ptx" in result.stderr
    assert sorted(path.name for path in work.iterdir()) == ["saxpy.cu"]


def test_without_a_kilnd_the_socket_is_named(bin, folder, work, saxpy):
    result = Kiln(bin, folder / "nobody.sock", work).run("compile", saxpy, "--target", "sm_90")
    assert result.returncode == 3
    assert b"nobody.sock" in result.stderr


def test_the_socket_may_be_given_on_the_command_line(bin, daemon, folder, work):
    elsewhere = Kiln(bin, folder / "nobody.sock", work)
    assert elsewhere.json("status", "--socket", daemon.socket)["process"] == daemon.process_id


def test_stop_ends_kilnd_with_its_compiler_processes(kiln, daemon, saxpy):
    kiln.compile(saxpy)
    exits = Exits(children(daemon.process_id))
    assert exits.pidfds
    assert kiln.json("stop") == {"stopped": True}
    daemon.wait_until_ended(exits)


def test_the_cubin_of_two_outputs_is_that_of_one(kiln, work, saxpy):
    both = kiln.compile(saxpy, "--output", "cubin=a.cubin", "--output", "ptx=a.ptx")
    alone = kiln.compile(saxpy, "-o", "b.cubin")
    assert (work / "a.cubin").read_bytes() == (work / "b.cubin").read_bytes()
    assert [output["kind"] for output in both["outputs"]] == ["cubin", "ptx"]
    assert hashlib.sha256((work / "a.ptx").read_bytes()).hexdigest() == both["outputs"][1]["sha256"]
    assert alone["outputs"][0]["sha256"] == both["outputs"][0]["sha256"]
