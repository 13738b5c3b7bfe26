"""kiln record and kiln build: what an application compiles is written down, and built without it."""

import fcntl
import hashlib
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
import tomllib

import pytest

from harness import DEADLINE, ROOT, Kiln, children, environment, hiprtc_library, nvjitlink_library, wait_for
from kernels import slow_below_sm_90
from ptx_link_test import CALLER, DOUBLE
from toolchains_test import install

SCALE = "extern \"C\" __global__ void scale(float* data, float by) { data[threadIdx.x] *= by; }\n"
WITH_HEADER = '#include "v.h"\nextern "C" __global__ void with_header(int* data) { *data = V; }\n'


@pytest.fixture
def daemon(make_daemon, bin):
    daemon = make_daemon(toolchains=("13.0", bin / "kiln-compiler-mlir"), config="jobs = 2")
    daemon.start()
    return daemon


@pytest.fixture
def kiln(bin, daemon, work):
    return Kiln(bin, daemon.socket, work)


def write_application(work):
    """Three kernels in files of its own."""
    (work / "include").mkdir()
    (work / "include/v.h").write_text("#define V 7\n")
    (work / "scale.cu").write_text(SCALE)
    (work / "header.cu").write_text(WITH_HEADER)
    (work / "saxpy.mlir").write_text((ROOT / "examples/kernels/saxpy.mlir").read_text())


CALLS = (
    ("scale.cu", "--target", "sm_90"),
    ("scale.cu", "--target", "sm_80"),
    ("scale.cu", "--target", "sm_90", "-D", "UNUSED"),
    ("header.cu", "--target", "sm_90", "-I", "include"),
    ("saxpy.mlir", "--target", "gfx942"),
)


def script(bin, calls):
    """A command whose processes ask kiln, one after the other."""
    return ("sh", "-c", "\n".join(" ".join(map(str, (bin / "kiln", "compile", *call))) for call in calls))


def record(kiln, bin, lock, calls=CALLS, *arguments, status=0):
    result = kiln.run("record", "-o", lock, *arguments, "--", *script(bin, calls))
    assert result.returncode == status, result.stderr
    return tomllib.loads((kiln.folder / lock).read_text())


def first_line(stream, part):
    """The first line of `stream` that has `part`."""
    return next(line for line in stream if part in line)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_lock_names_each_kernel_once_with_what_it_was_compiled_from(kiln, bin, work):
    write_application(work)
    lock = record(kiln, bin, "app.lock")
    assert lock["version"] == 1 and "uncaptured" not in lock
    kernels = {(kernel["name"], *kernel.get("options", [])): kernel for kernel in lock["kernel"]}
    names = [("header.cu: with_header",), ("saxpy.mlir: saxpy",), ("scale.cu: scale",), ("scale.cu: scale", "-DUNUSED")]
    assert sorted(kernels) == names
    scale = kernels[("scale.cu: scale",)]
    assert (scale["language"], scale["targets"], scale["toolchains"]) == ("cuda", ["sm_80", "sm_90"], ["nvrtc 13.0"])
    assert (scale["source"], scale["working_directory"]) == ("scale.cu", str(work))
    assert scale["source_sha256"] == hashlib.sha256(SCALE.encode()).hexdigest()
    header = kernels[("header.cu: with_header",)]
    (file,) = [file for file in header["files"] if file["kind"] == "file"]
    assert (file["role"], file["path"]) == ("include 0", "v.h")
    assert file["sha256"] == hashlib.sha256(b"#define V 7\n").hexdigest()
    kept = contents(work / "app.lock.files")
    assert all(hashlib.sha256(content).hexdigest() == name for name, content in kept.items())
    assert len(kept) == 4  # three sources and a header, each once


def test_a_recording_does_not_hang_on_what_was_there_and_in_which_order(kiln, bin, work):
    write_application(work)
    record(kiln, bin, "first.lock")
    record(kiln, bin, "again.lock", CALLS[::-1])  # hits alone, in another order
    assert (work / "first.lock").read_bytes() == (work / "again.lock").read_bytes()
    assert contents(work / "first.lock.files") == contents(work / "again.lock.files")


def test_recordings_merge_to_what_one_recording_of_all_would_be(kiln, bin, work):
    write_application(work)
    record(kiln, bin, "all.lock")
    record(kiln, bin, "some.lock", CALLS[:2])
    record(kiln, bin, "rest.lock", CALLS[2:])
    for first, second in (("some", "rest"), ("rest", "some")):
        assert kiln.run("record", "-o", "merged.lock", "--merge", f"{first}.lock", "--merge", f"{second}.lock").returncode == 0
        assert (work / "merged.lock").read_bytes() == (work / "all.lock").read_bytes()
        assert contents(work / "merged.lock.files") == contents(work / "all.lock.files")
    record(kiln, bin, "more.lock", CALLS[2:], "--merge", "some.lock")
    assert (work / "more.lock").read_bytes() == (work / "all.lock").read_bytes()


def test_what_could_not_be_captured_is_named_with_the_reason(bin, work):
    write_application(work)
    kiln = Kiln(bin, "/nowhere/kilnd.sock", work)
    lock = record(kiln, bin, "app.lock", CALLS[:1], status=3)
    assert "kernel" not in lock
    (one,) = lock["uncaptured"]
    assert one["name"] == "scale.cu" and "kilnd cannot be reached" in one["reason"]


def test_a_request_that_may_succeed_next_time_is_not_captured(bin, make_daemon, work):
    write_application(work)
    daemon = make_daemon("bare", toolchains=())
    daemon.start()
    lock = record(Kiln(bin, daemon.socket, work), bin, "app.lock", CALLS[:1], status=4)
    assert "kernel" not in lock
    (one,) = lock["uncaptured"]
    assert one["name"] == "scale.cu" and "toolchain_unavailable" in one["reason"], one


def test_the_exit_status_is_that_of_the_command(kiln, work):
    for command, status in ((("sh", "-c", "exit 7"), 7), (("sh", "-c", "kill -TERM $$"), 143), (("no-such-program",), 127)):
        assert kiln.run("record", "-o", "app.lock", "--", *command).returncode == status
    assert kiln.run("record", "-o", "app.lock").returncode == 2


def test_a_command_that_cannot_be_run_leaves_the_lock_as_it_was(kiln, bin, work):
    write_application(work)
    record(kiln, bin, "app.lock", CALLS[:1])
    lock, kept = (work / "app.lock").read_bytes(), contents(work / "app.lock.files")
    for command, reason in ((("./typo",), b"No such file"), (("./scale.cu",), b"Permission denied")):
        result = kiln.run("record", "-o", "app.lock", "--", *command)
        assert result.returncode == 127
        assert command[0].encode() in result.stderr and reason in result.stderr and b"'app.lock' was not touched" in result.stderr
    assert (work / "app.lock").read_bytes() == lock and contents(work / "app.lock.files") == kept


@pytest.mark.parametrize("output", ["nowhere/app.lock", "folder", "/dev/null", "blocked.lock"])
def test_an_output_that_cannot_be_written_is_told_before_the_command_runs(kiln, work, output):
    (work / "folder").mkdir()
    (work / "blocked.lock.files").write_text("no folder")
    result = kiln.run("record", "-o", output, "--", "touch", "has_run")
    assert result.returncode == 4 and output.encode() in result.stderr
    assert not (work / "has_run").exists()


def test_a_lock_that_cannot_be_written_in_the_end_costs_no_recording(kiln, bin, work):
    write_application(work)
    spoil = script(bin, CALLS[:4])[2] + "\ntouch app.lock.files"
    result = kiln.run("record", "-o", "app.lock", "--", "sh", "-c", spoil)
    assert result.returncode == 4
    (recording,) = re.findall(rb"--merge ([^ ']+)'", result.stderr)
    assert kiln.run("record", "-o", "late.lock", "--merge", recording.decode()).returncode == 0
    shutil.rmtree(recording)
    record(kiln, bin, "again.lock", CALLS[:4])
    assert (work / "late.lock").read_bytes() == (work / "again.lock").read_bytes()
    assert contents(work / "late.lock.files") == contents(work / "again.lock.files")


def test_standard_output_is_the_commands(kiln, work):
    result = kiln.run("--json", "record", "-o", "app.lock", "--", "echo", "the command's own")
    assert (result.returncode, result.stdout) == (0, b"the command's own\n")
    assert json.loads(result.stderr)["kernels"] == 0
    assert kiln.json("record", "-o", "all.lock", "--merge", "app.lock")["kernels"] == 0


def test_processes_that_the_command_leaves_behind_are_waited_for(kiln, bin, work):
    write_application(work)
    os.mkfifo(work / "go")
    late = f"(read line < go; {script(bin, CALLS[:1])[2]}) &"
    process = kiln.start("record", "-o", "app.lock", "--", "sh", "-c", late + " exit 7", stdin=subprocess.DEVNULL)
    first_line(process.stderr, b"waiting for the processes that it left behind")
    (work / "go").write_text("\n")
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 7
    (kernel,) = tomllib.loads((work / "app.lock").read_text())["kernel"]
    assert kernel["name"] == "scale.cu: scale"


def test_a_signal_ends_the_wait_for_what_was_left_behind_which_is_named(kiln, bin, work):
    write_application(work)
    command = script(bin, CALLS[:1])[2] + "\nsleep 1000 &"
    process = kiln.start("record", "-o", "app.lock", "--", "sh", "-c", command)
    try:
        first_line(process.stderr, b"waiting for the processes that it left behind")
        (left,) = children(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0
        lock = tomllib.loads((work / "app.lock").read_text())
        assert len(lock["kernel"]) == 1
        (one,) = lock["uncaptured"]
        assert one["name"] == "sh" and "still ran" in one["reason"]
    finally:
        os.kill(left, signal.SIGKILL)
        process.communicate(timeout=DEADLINE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_recording_that_is_told_to_end_ends_its_command_and_keeps_what_was_recorded(kiln, bin, work, number):
    write_application(work)
    command = script(bin, CALLS[:1])[2] + "\necho recorded >&2\nexec sleep 1000"
    process = kiln.start(
        *("record", "-o", "app.lock", "--", "sh", "-c", command),
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # whatever these tests were started by
    )
    first_line(process.stderr, b"recorded")
    process.send_signal(number)
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 128 + number
    assert len(tomllib.loads((work / "app.lock").read_text())["kernel"]) == 1


def test_a_reader_of_standard_error_that_has_gone_costs_no_recording(kiln, bin, work):
    write_application(work)
    os.mkfifo(work / "go")
    command = script(bin, CALLS[:1])[2] + "\nread line < go"
    process = kiln.start("record", "-o", "app.lock", "--", "sh", "-c", command)
    process.stderr.close()
    (work / "go").write_text("\n")
    assert process.wait(DEADLINE) == 0
    process.stdout.close()
    assert len(tomllib.loads((work / "app.lock").read_text())["kernel"]) == 1


def test_processes_at_the_same_time_are_recorded_each_kernel_once(kiln, bin, work):
    write_application(work)
    at_once = " ".join(f"{script(bin, [call])[2]} &" for call in (*CALLS, *CALLS)) + " wait"
    assert kiln.run("record", "-o", "app.lock", "--", "sh", "-c", at_once).returncode == 0
    record(kiln, bin, "one_by_one.lock")
    assert (work / "app.lock").read_bytes() == (work / "one_by_one.lock").read_bytes()


def test_sources_with_random_names_are_the_same_kernels_in_the_next_run(kiln, bin, work):
    (work / "scratch").mkdir()
    kiln.environment["TMPDIR"] = str(work / "scratch")
    for name in ("first", "second"):
        (work / "scratch" / f"{name}-random.cu").write_text(SCALE)
        calls = [(work / "scratch" / f"{name}-random.cu", "--target", "sm_90", "-o", "scale.cubin")]
        record(kiln, bin, f"{name}.lock", calls)
    assert (work / "first.lock").read_bytes() == (work / "second.lock").read_bytes()
    record(kiln, bin, "both.lock", calls, "--merge", "first.lock")
    assert (work / "both.lock").read_bytes() == (work / "first.lock").read_bytes()
    assert b"random" not in (work / "first.lock").read_bytes()


def test_what_libkiln_refuses_itself_is_named(kiln, bin, work):
    write_application(work)
    calls = (("scale.cu", "--target", "sm_90", "--", "--time=x.csv"), ("scale.cu", "--target", "gfx90a"))
    lock = record(kiln, bin, "app.lock", calls, status=4)
    assert "kernel" not in lock
    reasons = sorted(one["reason"] for one in lock["uncaptured"])
    assert len(reasons) == 2 and "--time" in reasons[0] and "gfx90a" in reasons[1]


def test_names_that_are_not_utf8_cost_their_kernel_and_no_more(kiln, bin, work):
    write_application(work)
    calls = (CALLS[0], (*CALLS[1], "-D", "\"NAME=$(printf '\\377')\""))
    lock = record(kiln, bin, "app.lock", calls)
    assert len(lock["kernel"]) == 1
    (one,) = lock["uncaptured"]
    assert one["name"] == "scale.cu: scale" and "NAME=\\xff" in one["reason"]


# ---- kiln build


def build(kiln, *arguments, status=0):
    return kiln.json("build", *arguments, status=status)


def without_daemon(bin, folder):
    """A kiln that finds none running."""
    kiln = Kiln(bin, "", folder)
    kiln.environment = environment(XDG_RUNTIME_DIR=folder / "nothing", HOME=folder)
    kiln.environment.pop("KILN_SOCKET", None)
    return kiln


def config_of(daemon):
    """With the compilers that the tests found."""
    return daemon.folder / "kilnd.toml"


def test_a_lock_is_built_without_the_application_and_without_its_files(kiln, daemon, bin, work, folder):
    write_application(work)
    record(kiln, bin, "app.lock")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    for name in ("app.lock", "app.lock.files"):
        shutil.move(work / name, elsewhere / name)
    shutil.rmtree(work)
    builder = Kiln(bin, daemon.socket, elsewhere)
    targets = ("--target", "sm_80", "--target", "sm_90a", "--target", "gfx942", "--target", "gfx90a")
    built = build(builder, "app.lock", *targets, "-o", "app.kiln")
    assert (built["kernels"], built["entries"], built["failed"]) == (4, 8, 0)
    assert built["targets"] == ["gfx90a", "gfx942", "sm_80", "sm_90a"]


def test_a_build_without_a_daemon_runs_one_of_its_own_and_is_the_same_to_the_byte(kiln, daemon, bin, work):
    write_application(work)
    record(kiln, bin, "app.lock", CALLS[:4])
    by_daemon = build(kiln, "app.lock", "--target", "sm_90a", "-o", "one.kiln")
    by_itself = build(without_daemon(bin, work), "app.lock", "--target", "sm_90a", "-o", "two.kiln", "--config", config_of(daemon))
    assert by_itself["compiled"] == 3
    assert by_daemon["digest"] == by_itself["digest"]
    assert (work / "one.kiln").read_bytes() == (work / "two.kiln").read_bytes()
    assert not (work / "two.kiln.partial").exists()


def test_what_does_not_compile_is_listed_with_its_log_and_the_rest_is_built(kiln, bin, work):
    write_application(work)
    (work / "picky.cu").write_text("#if __CUDA_ARCH__ < 900\n#error too old\n#endif\n" + SCALE)
    (work / "broken.cu").write_text("nonsense\n")
    calls = (("picky.cu", "--target", "sm_90"), ("scale.cu", "--target", "sm_90"), ("broken.cu", "--target", "sm_90", "2> broken.log || true"))
    record(kiln, bin, "app.lock", calls)
    built = build(kiln, "app.lock", "--target", "sm_80", "-o", "app.kiln", status=1)
    (failure,) = built["failures"]  # broken.cu fails as it was recorded
    assert (failure["kernel"], failure["target"], failure["failure"]) == ("picky.cu: scale", "sm_80", "compile_error")
    assert "too old" in failure["log"]
    assert built["kernels"] == 3


def test_a_file_that_the_recording_does_not_have_is_an_error_and_no_guess(kiln, bin, work):
    write_application(work)
    (work / "by_target.cu").write_text('#if __CUDA_ARCH__ < 900\n#include "old.h"\n#endif\n' + SCALE)
    (work / "old.h").write_text("")
    record(kiln, bin, "app.lock", (("by_target.cu", "--target", "sm_90"),))
    built = build(kiln, "app.lock", "--target", "sm_80", "-o", "app.kiln", status=1)
    (failure,) = built["failures"]
    assert failure["failure"] == "file_unavailable"
    assert "old.h" in failure["message"] and "was not looked for" in failure["message"]


def test_kernels_for_which_no_target_was_given_are_named(kiln, bin, work):
    write_application(work)
    record(kiln, bin, "app.lock")
    built = build(kiln, "app.lock", "--target", "sm_90", "-o", "app.kiln")
    assert built["left_out"] == [{"kernel": "saxpy.mlir: saxpy", "reason": "it is for AMD, and no --target is"}]
    built = build(kiln, "app.lock", "-o", "app.kiln")
    assert (built["targets"], built["entries"]) == (["gfx942", "sm_80", "sm_90"], 5)


def test_a_toolchain_that_is_not_there_is_told_with_those_that_are(kiln, bin, work):
    write_application(work)
    record(kiln, bin, "app.lock", CALLS[:1])
    failed = build(kiln, "app.lock", "--toolchain", "nvrtc 1.0", "-o", "app.kiln", status=4)
    assert "'nvrtc 1.0'" in failed["failure"]["message"] and "nvrtc 13.0" in failed["failure"]["message"]
    assert not (work / "app.kiln").exists()


def test_a_build_that_was_interrupted_goes_on_where_it_was(kiln, daemon, bin, work):
    record(kiln, bin, "app.lock", write_slow(work, 4))
    alone = without_daemon(bin, work)
    arguments = ("build", "app.lock", "--target", "sm_80", "-o", "app.kiln", "--config", config_of(daemon))
    process = alone.start(*arguments)
    log = work / "app.kiln.partial/kilnd.log"
    wait_for(lambda: log.exists() and log.read_text().count(" compiled in ") + log.read_text().count("miss") >= 1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=DEADLINE)
    assert not (work / "app.kiln").exists()
    built = alone.json(*arguments)
    assert built["entries"] == 4
    assert 0 < built["compiled"] < 4
    assert not (work / "app.kiln.partial").exists()


def test_kernels_of_every_language_are_recorded_and_built(bin, make_daemon, work, folder):
    daemon = make_daemon("all", toolchains=("13.0", nvjitlink_library("13.0"), hiprtc_library(), bin / "kiln-compiler-mlir"))
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    write_application(work)
    (work / "scale.hip").write_text('#include "v.h"\n' + SCALE)
    (work / "twist.ptx").write_text(DOUBLE)
    (work / "caller.ptx").write_text(CALLER)
    calls = (
        ("scale.hip", "--target", "gfx90a", "-I", "include"),
        ("caller.ptx", "twist.ptx", "--target", "sm_90"),
        ("saxpy.mlir", "--target", "x86-64-v3"),
    )
    lock = record(kiln, bin, "app.lock", calls)
    assert [(kernel["name"], kernel["language"]) for kernel in lock["kernel"]] == [
        ("caller.ptx: k", "ptx"),
        ("saxpy.mlir", "mlir"),
        ("scale.hip: scale", "hip"),
    ]
    assert [one["name"] for one in lock["kernel"][0]["inputs"]] == ["twist.ptx"]
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    for name in ("app.lock", "app.lock.files"):
        shutil.move(work / name, elsewhere / name)
    shutil.rmtree(work)
    built = build(Kiln(bin, daemon.socket, elsewhere), "app.lock", "-o", "app.kiln")
    assert (built["kernels"], built["entries"], built["failed"]) == (3, 3, 0)


@pytest.mark.parametrize(
    "change,said",
    [
        (lambda text: text.replace('"cuda"', '"fortran"'), ["app.lock:", "'kernel.language'", "'fortran'", "cuda"]),
        (lambda text: text.replace("version = 1", "version = 2"), ["version 2", "newer kiln"]),
        (lambda text: text.replace("version = 1\n", ""), ["is no lock"]),
        (lambda text: text.replace("source_sha256 = \"", "source_sha256 = \"x"), ["'source_sha256'", "64 hexadecimal"]),
        (lambda text: text.replace("targets = [", "targest = ["), ["'kernel.targest'", "unknown key"]),
        (lambda text: text.replace('"sm_90"]', '"potato"]'), ["'potato'"]),
        (lambda text: text + "[[kernel", ["app.lock:"]),
        (lambda text: text.replace('role = "include 0"', 'role = "include 5"'), ["'files.role'", "include 5"]),
        (lambda text: text.replace(", file = 1", ""), ["'files.file' must be there"]),
        (lambda text: text.replace('["sm_90"]', "[]"), ["'kernel.targets'", "one or more"]),
    ],
)
def test_a_lock_that_was_edited_wrongly_is_refused_with_the_line(kiln, bin, work, change, said):
    write_application(work)
    record(kiln, bin, "app.lock", CALLS[3:4])
    text = (work / "app.lock").read_text()
    assert change(text) != text
    (work / "app.lock").write_text(change(text))
    failed = build(kiln, "app.lock", "-o", "app.kiln", status=4)
    for part in said:
        assert part in failed["failure"]["message"]
    assert not (work / "app.kiln").exists()


def test_a_content_that_is_gone_or_was_changed_is_told(kiln, bin, work):
    write_application(work)
    record(kiln, bin, "app.lock", CALLS[3:4])
    header = work / "app.lock.files" / hashlib.sha256(b"#define V 7\n").hexdigest()
    header.write_text("#define V 8\n")
    built = build(kiln, "app.lock", "-o", "app.kiln", "--target", "sm_80", status=1)
    assert "does not have the content that its name says" in built["failures"][0]["message"]
    header.unlink()
    os.mkfifo(header)
    built = build(kiln, "app.lock", "-o", "app.kiln", "--target", "sm_80", status=1)
    assert "no regular file" in built["failures"][0]["message"]
    header.unlink()
    built = build(kiln, "app.lock", "-o", "app.kiln", "--target", "sm_80", status=1)
    assert "cannot read" in built["failures"][0]["message"]


# ---- what a build says where it comes to nothing, or not to the end


def write_slow(work, count):
    """The calls that compile so many kernels, each of half a second for processors older than theirs."""
    for number in range(count):
        (work / f"slow{number}.cu").write_text(slow_below_sm_90(1) + f"// {number}\n")
    return [(f"slow{number}.cu", "--target", "sm_90") for number in range(count)]


def test_a_failure_of_the_second_stage_is_one_of_the_kernel(bin, make_daemon, work):
    daemon = make_daemon("llvm", toolchains=(bin / "kiln-compiler-llvm", nvjitlink_library("13.0")))
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    (work / "k.ll").write_text(
        'target triple = "nvptx64-nvidia-cuda"\ndefine ptx_kernel void @k() {\n'
        '  call void asm sideeffect "setmaxnreg.inc.sync.aligned.u32 32;", ""()\n  ret void\n}\n'
    )
    record(kiln, bin, "app.lock", (("k.ll", "--target", "sm_90a"),))
    assert build(kiln, "app.lock", "-o", "app.kiln")["failed"] == 0
    built = build(kiln, "app.lock", "--target", "sm_80", "-o", "app.kiln", status=1)
    (failure,) = built["failures"]
    assert (failure["kernel"], failure["target"], failure["failure"]) == ("k.ll: k", "sm_80", "compile_error")
    assert "setmaxnreg" in failure["log"]
    coverage = kiln.json("coverage", "app.lock", "app.kiln", "--target", "sm_80", status=1)
    assert (coverage["covered"], coverage["missing"]) == (0, 1)
    assert "does not compile for sm_80" in coverage["misses"][0]["reason"]


def test_a_lock_that_gives_nothing_to_do_is_an_error_that_says_why(kiln, bin, work):
    write_application(work)
    record(Kiln(bin, "/nowhere/kilnd.sock", work), bin, "lost.lock", CALLS[:1], status=3)
    record(kiln, bin, "app.lock", CALLS[:4])
    build(kiln, "app.lock", "-o", "app.kiln")
    for lock, arguments, said in (
        ("lost.lock", (), "'scale.cu', kilnd cannot be reached"),
        ("app.lock", ("--target", "gfx942"), "it is for NVIDIA, and no --target is"),
    ):
        commands = (("build", lock, "-o", "no.kiln"), ("coverage", lock, "app.kiln"), ("coverage", lock, "--daemon"))
        for command in commands:
            failed = kiln.json(*command, *arguments, status=4)["failure"]["message"]
            assert said in failed and f"'{lock}'" in failed
    assert not (work / "no.kiln").exists()


def test_what_was_not_captured_is_told_and_is_not_covered(kiln, bin, work):
    write_application(work)
    record(Kiln(bin, "/nowhere/kilnd.sock", work), bin, "lost.lock", CALLS[:1], status=3)
    record(kiln, bin, "app.lock", CALLS[3:4], "--merge", "lost.lock")
    built = build(kiln, "app.lock", "-o", "app.kiln")
    for report in (
        built,
        kiln.json("coverage", "app.lock", "app.kiln", status=1),
        kiln.json("coverage", "app.lock", "--daemon", status=1),
    ):
        (one,) = report["uncaptured"]
        assert one["request"] == "scale.cu" and "kilnd cannot be reached" in one["reason"]


@pytest.mark.long
def test_a_build_whose_kilnd_dies_leaves_the_bundle_alone_and_goes_on_from_there(kiln, daemon, bin, work):
    record(kiln, bin, "app.lock", write_slow(work, 4))
    build(kiln, "app.lock", "-o", "app.kiln")
    before = (work / "app.kiln").read_bytes()
    daemon.restart()
    arguments = ("build", "app.lock", "--target", "sm_80", "-o", "app.kiln")
    process = kiln.start("--json", *arguments)
    wait_for(lambda: kiln.json("stats")["entries"] >= 5)  # 4 of the recording
    daemon.kill()
    output, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 3, output
    assert "the same command goes on from there" in json.loads(output)["failure"]["message"]
    assert (work / "app.kiln").read_bytes() == before
    daemon.start()
    built = build(kiln, *arguments[1:])
    assert built["entries"] == 4 and 0 < built["compiled"] < 4


def test_several_kernels_are_built_at_once(kiln, daemon, bin, work):
    record(kiln, bin, "app.lock", write_slow(work, 4))
    process = kiln.start("build", "app.lock", "--target", "sm_80", "-o", "app.kiln")
    wait_for(lambda: kiln.json("status")["running"] == 2)  # as many as kilnd has jobs
    process.kill()
    process.communicate(timeout=DEADLINE)


def test_progress_is_plain_lines_where_nobody_watches_a_terminal(kiln, bin, work):
    write_application(work)
    record(kiln, bin, "app.lock")
    said = kiln.run("build", "app.lock", "-o", "app.kiln").stderr.decode()
    assert [line.partition(",")[0] for line in said.splitlines()] == [f"{done} / 5 kernels" for done in range(1, 6)], said
    assert re.search(r"^[1-4] / 5 kernels, \d+:\d\d left$", said, re.MULTILINE)


def test_a_build_whose_own_kilnd_dies_keeps_what_was_compiled_and_says_where(kiln, daemon, bin, work):
    record(kiln, bin, "app.lock", write_slow(work, 4))
    alone = without_daemon(bin, work)
    arguments = ("build", "app.lock", "--target", "sm_80", "-o", "app.kiln", "--config", config_of(daemon))
    process = alone.start("--json", *arguments)
    socket = work / "app.kiln.partial/kilnd.sock"
    wait_for(lambda: socket.exists() and Kiln(bin, socket, work).json("stats")["entries"] >= 1)
    (own,) = children(process.pid)
    os.kill(own, signal.SIGKILL)
    output, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 3, output
    message = json.loads(output)["failure"]["message"]
    assert "the kilnd of this build has ended" in message and "'app.kiln.partial/kilnd.log'" in message
    assert "in 'app.kiln.partial', and the same command goes on from there" in message
    assert not (work / "app.kiln").exists()
    built = alone.json(*arguments)
    assert built["entries"] == 4 and 0 < built["compiled"] < 4
    assert not (work / "app.kiln.partial").exists()


@pytest.mark.long
def test_two_builds_to_one_path_do_not_meet(kiln, daemon, bin, work):
    record(kiln, bin, "app.lock", write_slow(work, 3))
    alone = without_daemon(bin, work)
    arguments = ("build", "app.lock", "--target", "sm_80", "-o", "app.kiln", "--config", config_of(daemon))
    first = alone.start("--json", *arguments)
    wait_for((work / "app.kiln.partial/kilnd.log").exists)
    failed = alone.json(*arguments, status=4)["failure"]["message"]
    assert "another build keeps what it compiles in 'app.kiln.partial'" in failed
    output, errors = first.communicate(timeout=DEADLINE)
    assert first.returncode == 0, errors
    assert json.loads(output)["entries"] == 3
    assert not (work / "app.kiln.partial").exists()


def test_a_kilnd_that_does_not_start_is_told_with_what_it_says(kiln, daemon, bin, work):
    write_application(work)
    record(kiln, bin, "app.lock", CALLS[:1])
    (work / "bad.toml").write_text("jbos = 3\n")
    failed = without_daemon(bin, work).json("build", "app.lock", "-o", "app.kiln", "--config", "bad.toml", status=3)
    message = failed["failure"]["message"]
    assert "the kilnd of this build has ended" in message and "jbos" in message
    assert "'app.kiln.partial/kilnd.log'" in message and "jbos" in (work / "app.kiln.partial/kilnd.log").read_text()
    assert not (work / "app.kiln").exists()


def test_a_build_that_comes_to_nothing_leaves_nothing_behind(kiln, daemon, bin, work):
    write_application(work)
    record(kiln, bin, "app.lock", CALLS[:1])
    before = sorted(work.iterdir())
    alone = without_daemon(bin, work)
    alone.json("build", "app.lock", "-o", "app.kiln", "--toolchain", "nvrtc 1.0", "--config", config_of(daemon), status=4)
    assert sorted(work.iterdir()) == before


def test_where_a_bundle_cannot_be_written_nothing_is_compiled(kiln, daemon, bin, work):
    write_application(work)
    record(kiln, bin, "app.lock", CALLS[:1])
    compiles = kiln.compiles()
    for builder in (kiln, without_daemon(bin, work)):
        failed = build(builder, "app.lock", "--target", "sm_80", "-o", "nowhere/app.kiln", status=4)
        assert "nowhere/app.kiln" in failed["failure"]["message"]
    assert kiln.compiles() == compiles
    assert not (work / "nowhere").exists()


def test_a_configuration_that_is_not_used_is_told(kiln, daemon, bin, work):
    write_application(work)
    record(kiln, bin, "app.lock", CALLS[:1])
    told = kiln.run("build", "app.lock", "-o", "app.kiln", "--config", config_of(daemon))
    assert told.returncode == 0
    assert f"--config is not used: the kilnd at '{daemon.socket}' compiles" in told.stderr.decode()


def on_terminal(kiln, columns, *arguments):
    """What kiln writes to a terminal of so many columns, and its exit status."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [kiln.program, *arguments], cwd=kiln.folder, env=kiln.environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:  # as Linux says that the other end is closed
        pass
    os.close(ours)
    return written.decode(), process.wait(DEADLINE)


def test_on_a_terminal_the_bar_fits_and_no_name_moves_the_cursor(kiln, bin, work):
    name = "evil\x1b[2J\x1b]0;title\x07 of a kernel with a long näme.cu"
    (work / name).write_text(SCALE)
    (work / "broken.cu").write_text("#if __CUDA_ARCH__ < 900\n#error no\n#endif\n" + SCALE)
    for file in (name, "broken.cu"):
        merged = ("--merge", "app.lock") if (work / "app.lock").exists() else ()
        recorded = kiln.run("record", "-o", "app.lock", *merged, "--", kiln.program, "compile", file, "--target", "sm_90")
        assert recorded.returncode == 0, recorded.stderr
    written, status = on_terminal(kiln, 40, "build", "app.lock", "--target", "sm_80", "-o", "app.kiln")
    assert status == 1
    bars = [part.split("\r")[0].split("\n")[0] for part in written.split("\r\x1b[K")]
    assert any(bar.startswith("[####") for bar in bars)
    assert any("] 0 / 2 ker" in bar for bar in bars) and any("] 2 / 2 ker" in bar for bar in bars)
    assert all(len(bar) < 40 for bar in bars if bar.startswith("["))
    assert "kiln: broken.cu: scale for sm_80: compile_error" in written
    for shown in (written, *(on_terminal(kiln, 80, "bundle", *command)[0] for command in (("ls", "app.kiln"), ("show", "app.kiln")))):
        assert "\x1b" not in shown.replace("\r\x1b[K", "") and "\x07" not in shown
    assert "evil\\x1b[2J" in on_terminal(kiln, 80, "bundle", "ls", "app.kiln")[0]


@pytest.mark.long
def test_a_toolchain_that_is_replaced_during_a_build_is_in_the_bundle_before_and_after(kiln, bin, make_daemon, work, folder):
    record(kiln, bin, "app.lock", write_slow(work, 4))
    install("12.9", folder / "toolchain")
    daemon = make_daemon("replaced", toolchains=(folder / "toolchain",), config="jobs = 2")
    daemon.start()
    builder = Kiln(bin, daemon.socket, work)
    process = builder.start("--json", "build", "app.lock", "--target", "sm_80", "-o", "app.kiln")
    wait_for(lambda: builder.json("stats")["entries"] >= 1)
    install("13.0", folder / "toolchain")
    output, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, output
    shown = builder.json("bundle", "show", "app.kiln")
    assert shown["entries"] == 4
    assert [toolchain["name"] for toolchain in shown["toolchains"]] == ["nvrtc 12.9", "nvrtc 13.0"]


@pytest.mark.long
def test_what_is_compiled_is_kept_while_something_failed_that_may_succeed_next_time(kiln, daemon, bin, work):
    (work / "scale.cu").write_text(SCALE)
    (work / "slow.cu").write_text(slow_below_sm_90(16))
    record(kiln, bin, "app.lock", (("scale.cu", "--target", "sm_90"), ("slow.cu", "--target", "sm_90")))
    (work / "impatient.toml").write_text("compile_timeout_seconds = 2\n" + config_of(daemon).read_text())
    alone = without_daemon(bin, work)
    arguments = ("app.lock", "--target", "sm_80", "-o", "app.kiln", "--config")
    built = build(alone, *arguments, "impatient.toml", status=1)
    (failure,) = built["failures"]
    assert failure["failure"] == "timeout"
    assert (built["entries"], built["kept"]) == (1, "app.kiln.partial")
    built = build(alone, *arguments, config_of(daemon))
    assert (built["entries"], built["compiled"]) == (2, 1)
    assert "kept" not in built and not (work / "app.kiln.partial").exists()


def test_a_lock_with_kernels_is_not_replaced_by_an_empty_one(kiln, bin, work):
    write_application(work)
    record(kiln, bin, "app.lock", CALLS[:1])
    before, kept = (work / "app.lock").read_text(), contents(work / "app.lock.files")
    nothing = kiln.run("record", "-o", "app.lock", "--", "true")
    nowhere = Kiln(bin, work / "no.sock", work).run("record", "-o", "app.lock", "--", *script(bin, CALLS[:1]))
    for result, said in ((nothing, b"no kernel was recorded"), (nowhere, b"kilnd cannot be reached")):
        assert result.returncode == 4 and said in result.stderr and b"left as it is" in result.stderr
    assert (work / "app.lock").read_text() == before
    assert contents(work / "app.lock.files") == kept


def test_a_build_replaces_a_bundle_and_nothing_else(kiln, bin, work):
    write_application(work)
    record(kiln, bin, "app.lock", CALLS[:1])
    (work / "precious.toml").write_text("jobs = 2\n")
    refused = kiln.run("build", "app.lock", "-o", "precious.toml")
    assert refused.returncode == 4 and b"no bundle" in refused.stderr
    assert (work / "precious.toml").read_text() == "jobs = 2\n"
    build(kiln, "app.lock", "-o", "app.kiln")
    before = (work / "app.kiln").read_bytes()
    failed = build(kiln, "app.lock", "--target", "sm_91", "-o", "app.kiln", status=1)
    assert failed["bundle"] is None and failed["failures"][0]["failure"] == "unsupported_target"
    assert (work / "app.kiln").read_bytes() == before
    built = build(kiln, "app.lock", "-o", "app.kiln")
    assert built["compiled"] == 0
