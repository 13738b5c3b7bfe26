"""kiln record and kiln build: what an application compiles is written down, and built without it."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tomllib

import pytest

from harness import DEADLINE, ROOT, Kiln, children, environment, hiprtc_library, nvjitlink_library, wait_for
from kernels import slow
from ptx_link_test import CALLER, DOUBLE

SCALE = "extern \"C\" __global__ void scale(float* data, float by) { data[threadIdx.x] *= by; }\n"
WITH_HEADER = '#include "v.h"\nextern "C" __global__ void with_header(int* data) { *data = V; }\n'


@pytest.fixture
def daemon(make_daemon, bin):
    daemon = make_daemon(toolchains=("13.0", bin / "kiln-compiler-mlir"))
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
    process = kiln.start("record", "-o", "app.lock", "--", "sh", "-c", command)
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
    calls = []
    for number in range(4):
        (work / f"slow{number}.cu").write_text(slow(1) + f"// {number}\n")
        calls.append((f"slow{number}.cu", "--target", "sm_90"))
    record(kiln, bin, "app.lock", calls)
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
