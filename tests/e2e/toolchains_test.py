"""Toolchains that are replaced, broken, mended, added and removed while kilnd runs."""

import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from harness import DEADLINE, Kiln, cuda_includes, nvrtc_folder
from kernels import BLOCK_REDUCE, SAXPY

MISBEHAVING = pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parent / "misbehaving_nvrtc"
CUB_ARGUMENTS = [argument for directory in cuda_includes() for argument in ("-I", directory)]


def copy(source, target):
    """Writes `target` anew, in place if it is there: what is mapped of it changes."""
    subprocess.run(["cp", "--reflink=auto", "--dereference", source, target], check=True)


def parts(version):
    """NVRTC's library and its builtins."""
    folder = nvrtc_folder(version)
    return folder / f"libnvrtc.so.{version.split('.')[0]}", folder / f"libnvrtc-builtins.so.{version}"


def install(version, folder):
    """One version of NVRTC as libnvrtc.so, each file put in place by rename; another version's builtins go."""
    folder.mkdir(exist_ok=True)
    library, builtins = parts(version)
    copy(builtins, folder / "new-builtins")
    copy(library, folder / "new-library")
    os.rename(folder / "new-builtins", folder / builtins.name)
    os.rename(folder / "new-library", folder / "libnvrtc.so")
    for other in folder.glob("libnvrtc-builtins.so.*"):
        if other.name != builtins.name:
            other.unlink()


def build(number):
    """The bytes of another build of the misbehaving library, of which every output tells."""
    return (MISBEHAVING / "libnvrtc.so.13").read_bytes().replace(b"misbehaving build 1000", b"misbehaving build %d" % number)


def install_build(number, folder):
    folder.mkdir(exist_ok=True)
    copy(MISBEHAVING / "libnvrtc-builtins.so.13.99", folder / "libnvrtc-builtins.so.13.99")
    (folder / "libnvrtc.so.13").write_bytes(build(number))


@pytest.fixture
def toolchain(folder):
    """The folder of the one toolchain."""
    return folder / "toolchain"


@pytest.fixture
def start(make_daemon, bin, work):
    """Starts a kilnd that looks for toolchains in the paths given, and makes a kiln for it."""

    def start(*paths, **settings):
        start.daemon = make_daemon(toolchains=paths, **settings)
        start.daemon.start()
        return Kiln(bin, start.daemon.socket, work)

    return start


@pytest.fixture
def saxpy(work):
    (work / "k.cu").write_text(SAXPY)
    return "k.cu"


def listed(kiln, *arguments):
    return kiln.json("toolchains", *arguments)["toolchains"]


def cubin(kiln, work, *arguments):
    """The reply, and the bytes, of compiling k.cu."""
    reply = kiln.compile("k.cu", "-o", "k.cubin", *arguments)
    return reply, (work / "k.cubin").read_bytes()


def wait_for_zygotes(kiln, *toolchains):
    """Returns when there are zygotes of these and no others; one that was given up takes a moment to end."""
    while [c["toolchain"] for c in kiln.json("status")["compilers"] if c["role"] == "zygote"] != list(toolchains):
        pass


def wait_for_compile(kiln, process):
    """The process of the one compile, once it is there."""
    while True:
        assert process.poll() is None
        for compiler in kiln.json("status")["compilers"]:
            if compiler["role"] == "compile":
                return compiler["process"]


def finish(process):
    stdout, stderr = process.communicate(timeout=DEADLINE)
    return process.returncode, stdout, stderr


def test_a_replaced_library_compiles_the_next_request_and_its_entries_are_found_again_when_it_is_back(
    start, toolchain, saxpy, work, reference
):
    install("12.9", toolchain)
    kiln = start(toolchain)
    old, bytes_of_old = cubin(kiln, work)
    assert (old["outcome"], old["toolchain"]) == ("miss", "nvrtc 12.9")
    assert cubin(kiln, work)[0]["outcome"] == "hit"

    install("13.0", toolchain)
    new, bytes_of_new = cubin(kiln, work)
    assert (new["outcome"], new["toolchain"]) == ("miss", "nvrtc 13.0")
    assert bytes_of_new == reference.compile("13.0", saxpy, ["-arch=sm_90"]).outputs["cubin"]
    assert bytes_of_new != bytes_of_old
    assert cubin(kiln, work)[0]["outcome"] == "hit"
    assert [t["name"] for t in listed(kiln)] == ["nvrtc 13.0"]
    wait_for_zygotes(kiln, "nvrtc 13.0")
    assert "toolchain nvrtc 13.0 replaces nvrtc 12.9: " in start.daemon.log_text()

    install("12.9", toolchain)
    back, bytes_of_back = cubin(kiln, work)
    assert (back["outcome"], back["key"]) == ("hit", old["key"])
    assert bytes_of_back == bytes_of_old
    (work / saxpy).write_text(SAXPY + "// another\n")
    again, bytes_of_again = cubin(kiln, work)
    assert (again["outcome"], again["toolchain"]) == ("miss", "nvrtc 12.9")
    assert bytes_of_again == reference.compile("12.9", saxpy, ["-arch=sm_90"]).outputs["cubin"]


def test_a_listing_alone_tells_that_a_library_was_replaced(start, toolchain):
    install_build(1000, toolchain)
    kiln = start(toolchain)
    (before,) = listed(kiln)
    (toolchain / "libnvrtc.so.13").write_bytes(build(2000))
    (after,) = listed(kiln)
    assert (before["problem"], after["problem"]) == (None, None)
    assert before["identity"] != after["identity"]


@pytest.mark.long
def test_what_a_library_compiles_while_it_is_replaced_is_compiled_again_by_the_new_one(
    start, toolchain, work, reference
):
    (work / "k.cu").write_text(BLOCK_REDUCE)
    install("12.9", toolchain)
    kiln = start(toolchain)
    process = kiln.start("--json", "compile", "k.cu", "--target", "sm_90", *CUB_ARGUMENTS, "-o", "k.cubin")
    wait_for_compile(kiln, process)
    install("13.0", toolchain)
    status, stdout, stderr = finish(process)
    assert status == 0, (stdout, stderr)
    expected = reference.compile("13.0", "k.cu", ["-arch=sm_90", *(f"-I{d}" for d in cuda_includes())])
    assert (work / "k.cubin").read_bytes() == expected.outputs["cubin"]
    entries = kiln.json("ls")["entries"]
    assert [entry["toolchain"] for entry in entries] == ["nvrtc 13.0"], "what the old one made is not remembered"


def test_a_library_overwritten_in_place_below_a_warm_zygote_harms_nothing(start, toolchain, saxpy, work, reference):
    install("12.9", toolchain)
    kiln = start(toolchain)
    assert cubin(kiln, work)[0]["toolchain"] == "nvrtc 12.9"
    library, builtins = parts("13.0")
    copy(builtins, toolchain / builtins.name)
    copy(library, toolchain / "libnvrtc.so")
    (work / saxpy).write_text(SAXPY + "// another\n")
    reply, made = cubin(kiln, work)
    assert (reply["outcome"], reply["toolchain"]) == ("miss", "nvrtc 13.0")
    assert made == reference.compile("13.0", saxpy, ["-arch=sm_90"]).outputs["cubin"]
    library, builtins = parts("12.9")
    copy(library, toolchain / "libnvrtc.so")
    reply, made = cubin(kiln, work)
    assert (reply["outcome"], reply["toolchain"]) == ("miss", "nvrtc 12.9")
    assert made == reference.compile("12.9", saxpy, ["-arch=sm_90"]).outputs["cubin"]
    assert kiln.json("stats")["failures"] == []


def test_a_crash_of_what_was_overwritten_below_a_compile_reaches_nobody(start, toolchain, work):
    install_build(1000, toolchain)
    kiln = start(toolchain)
    (work / "k.cu").write_text("misbehave: hang 1000\n")
    process = kiln.start("--json", "compile", "k.cu", "--target", "sm_90", "-o", "k.cubin")
    child = wait_for_compile(kiln, process)
    (toolchain / "libnvrtc.so.13").write_bytes(build(2000))
    os.kill(child, signal.SIGKILL)  # as a page of a file that was cut short would
    status, stdout, stderr = finish(process)
    assert status == 0, (stdout, stderr)
    assert b"build 2000\n" in (work / "k.cubin").read_bytes()
    assert kiln.json("stats")["failures"] == []
    assert kiln.compile("k.cu")["outcome"] == "hit"


def test_bytes_put_back_in_place_are_not_compiled_by_what_was_loaded_between(start, toolchain, work):
    install_build(1000, toolchain)
    kiln = start(toolchain)
    for number in (2000, 1000):
        (toolchain / "libnvrtc.so.13").write_bytes(build(number))
        (work / "k.cu").write_text(f"for {number}\n")
        _, made = cubin(kiln, work)
        assert b"build %d\n" % number in made
    wait_for_zygotes(kiln, "nvrtc 13.99")


@pytest.mark.parametrize("leftover", ["builtins of the old version", "no builtins"])
def test_a_half_replaced_library_is_listed_with_the_reason_and_works_once_it_is_whole(
    start, toolchain, saxpy, work, reference, leftover
):
    install("12.9", toolchain)
    kiln = start(toolchain)
    cubin(kiln, work)
    library, builtins = parts("13.0")
    copy(library, toolchain / "new-library")
    os.rename(toolchain / "new-library", toolchain / "libnvrtc.so")
    if leftover == "no builtins":
        (toolchain / "libnvrtc-builtins.so.12.9").unlink()
    reply = kiln.compile(saxpy, status=4)
    assert reply["failure"]["kind"] == "toolchain_unavailable"
    assert str(toolchain / "libnvrtc.so") in reply["failure"]["message"]
    assert "libnvrtc-builtins.so" in reply["failure"]["message"]
    (half,) = listed(kiln)
    assert "libnvrtc-builtins.so" in half["problem"] and not half["default"]
    assert len(kiln.json("ls")["entries"]) == 1, "nothing is remembered of half a library"

    copy(builtins, toolchain / builtins.name)
    whole, made = cubin(kiln, work)
    assert (whole["outcome"], whole["toolchain"]) == ("miss", "nvrtc 13.0")
    assert made == reference.compile("13.0", saxpy, ["-arch=sm_90"]).outputs["cubin"]


def test_toolchains_are_added_and_removed_without_a_restart(start, folder, saxpy, work):
    root = folder / "toolchains"
    install("12.9", root)
    kiln = start(root)
    assert [t["name"] for t in listed(kiln)] == ["nvrtc 12.9"]
    added = root / "added"
    install_build(1000, added)
    assert [t["name"] for t in listed(kiln, "--rescan")] == ["nvrtc 13.99", "nvrtc 12.9"]
    assert [t["name"] for t in listed(kiln) if t["default"]] == ["nvrtc 13.99"]
    assert kiln.compile(saxpy)["toolchain"] == "nvrtc 13.99"
    assert kiln.compile(saxpy, "--toolchain", "nvrtc 12.9")["outcome"] == "miss"

    shutil.rmtree(added)
    assert [t["name"] for t in listed(kiln, "--rescan")] == ["nvrtc 12.9"]
    wait_for_zygotes(kiln, "nvrtc 12.9")
    reply = kiln.compile(saxpy)
    assert (reply["outcome"], reply["toolchain"]) == ("hit", "nvrtc 12.9")
    assert kiln.compile(saxpy, "--toolchain", "nvrtc 13.99", status=4)["failure"]["kind"] == "toolchain_unavailable"
    log = start.daemon.log_text()
    assert f"toolchain nvrtc 13.99: {added}" in log and f"toolchain nvrtc 13.99 is gone: {added}" in log


def test_a_toolchain_that_is_taken_away_is_gone_with_the_next_request(start, folder, saxpy):
    install_build(1000, folder / "one")
    install("12.9", folder / "two")
    kiln = start(folder / "one", folder / "two")
    assert kiln.compile(saxpy)["toolchain"] == "nvrtc 13.99"
    shutil.rmtree(folder / "one")
    assert kiln.compile(saxpy)["toolchain"] == "nvrtc 12.9"
    assert [t["name"] for t in listed(kiln)] == ["nvrtc 12.9"]


def test_equal_copies_are_one_toolchain_and_either_serves(start, folder, work):
    (work / "k.cu").write_text("fine\n")
    for name in ("one", "two"):
        install_build(1000, folder / name)
    kiln = start(folder / "one", folder / "two")
    (only,) = listed(kiln)
    assert only["library"] == str(folder / "one/libnvrtc.so.13")
    assert kiln.compile("k.cu")["outcome"] == "miss"
    shutil.rmtree(folder / "one")
    assert kiln.compile("k.cu")["outcome"] == "hit"
    (other,) = listed(kiln)
    assert (other["library"], other["identity"]) == (str(folder / "two/libnvrtc.so.13"), only["identity"])
    (work / "k.cu").write_text("fine too\n")
    assert kiln.compile("k.cu")["outcome"] == "miss"


def test_a_directory_that_is_a_link_is_followed_to_where_it_leads_now(start, folder, work):
    (work / "k.cu").write_text("fine\n")
    for number in (1000, 2000):
        install_build(number, folder / f"version-{number}")
    (folder / "current").symlink_to("version-1000")
    kiln = start(folder / "current")
    assert b"build 1000\n" in cubin(kiln, work)[1]
    (folder / "next").symlink_to("version-2000")
    os.rename(folder / "next", folder / "current")
    assert b"build 2000\n" in cubin(kiln, work)[1]


def test_where_there_is_no_toolchain_kiln_says_what_to_do(start, folder):
    kiln = start(folder / "nothing")
    assert listed(kiln) == []
    for arguments in (("toolchains",), ("toolchains", "--rescan")):
        result = kiln.run(*arguments)
        assert result.returncode == 0
        assert result.stdout.startswith(b"no toolchain found; install one and run kiln toolchains --rescan")


def test_a_file_that_is_no_library_is_listed_with_the_reason(start, folder, saxpy):
    (folder / "garbage").mkdir()
    garbage = folder / "garbage/libnvrtc.so.13"
    garbage.write_text("this is no library\n")
    copy(MISBEHAVING / "libnvrtc-builtins.so.13.99", folder / "garbage/libnvrtc-builtins.so.13.99")
    kiln = start(folder / "garbage")
    (only,) = listed(kiln)
    assert not only["default"]
    assert str(garbage) in only["problem"] and "file too short" in only["problem"]
    reply = kiln.compile(saxpy, status=4)
    assert reply["failure"]["kind"] == "toolchain_unavailable"
    assert "file too short" in reply["failure"]["message"]
    assert kiln.json("stats")["entries"] == 0
    garbage.write_bytes(build(1000))
    assert kiln.compile(saxpy)["toolchain"] == "nvrtc 13.99"


def test_a_touched_toolchain_is_the_same(start, toolchain, work):
    (work / "k.cu").write_text("fine\n")
    install_build(1000, toolchain)
    kiln = start(toolchain)
    assert kiln.compile("k.cu")["outcome"] == "miss"
    os.utime(toolchain / "libnvrtc.so.13")
    assert kiln.compile("k.cu")["outcome"] == "hit"
    assert start.daemon.log_text().count("toolchain nvrtc 13.99") == 1, "no change to tell of"
