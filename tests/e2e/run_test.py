"""kiln run: a kernel compiled for this processor and called."""

import struct
import subprocess

import pytest

from harness import DEADLINE, OWN_CRASHES, Kiln

KERNELS = """define void @scale(float %by, ptr %data, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %place = getelementptr float, ptr %data, i64 %i
  %before = load float, ptr %place
  %after = fmul float %before, %by
  store float %after, ptr %place
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}
define void @count(ptr %data, i8 %a, i16 %b, i32 %c, double %d) {
  %a64 = sext i8 %a to i64
  %b64 = sext i16 %b to i64
  %c64 = sext i32 %c to i64
  %d64 = fptosi double %d to i64
  %ab = add i64 %a64, %b64
  %cd = add i64 %c64, %d64
  %all = add i64 %ab, %cd
  store i64 %all, ptr %data
  ret void
}
define void @leave() {
  call void @abort()
  unreachable
}
declare void @abort()
"""


@pytest.fixture
def kiln(bin, make_daemon, work):
    daemon = make_daemon(toolchains=(bin / "kiln-compiler-llvm",))
    daemon.start()
    (work / "k.ll").write_text(KERNELS)
    kiln = Kiln(bin, daemon.socket, work)
    kiln.environment |= OWN_CRASHES  # a kernel that ends its process is to end it by itself
    return kiln


def run(kiln, kernel, *arguments, status=0, options=()):
    given = [part for argument in arguments for part in ("--arg", argument)]
    return kiln.json("run", "k.ll", "--kernel", kernel, *given, "--", *options, status=status)


def test_a_kernel_is_compiled_called_and_its_buffers_are_summed(kiln):
    first = run(kiln, "scale", "f32=2", "f32[1000]", "i64=1000")
    assert (first["outcome"], first["kernel"]) == ("miss", "scale")
    by, data, n = first["arguments"]
    assert (by["argument"], by["checksum_before"], n["argument"]) == ("f32=2", None, "i64=1000")
    assert data["checksum_before"] != data["checksum_after"]
    again = run(kiln, "scale", "f32=2", "f32[1000]", "i64=1000")
    assert again["outcome"] == "hit"
    assert again["arguments"] == first["arguments"]


def test_what_is_generated_is_what_the_kernel_gets(kiln):
    """Halved, and halved numbers have exact halves; by 1 nothing changes."""
    _, same, _ = run(kiln, "scale", "f32=1", "f32[8]", "i64=8")["arguments"]
    assert same["checksum_before"] == same["checksum_after"]
    _, halved, _ = run(kiln, "scale", "f32=0.5", "f32[8]", "i64=8")["arguments"]
    values = [float(text) for text in same["first"]]
    assert all(-1 <= value < 1 for value in values) and len(set(values)) == len(values)

    def narrow(value):
        return struct.unpack("f", struct.pack("f", value))[0]

    assert [narrow(float(text)) for text in halved["first"]] == [narrow(value) / 2 for value in map(narrow, values)]


def test_values_of_every_type_arrive(kiln):
    reply = run(kiln, "count", "i64[2]", "i8=-3", "i16=1000", "i32=-70000", "f64=2500000.5")
    data = reply["arguments"][0]
    assert data["first"][0] == str(-3 + 1000 - 70000 + 2500000)
    assert 0 <= int(data["first"][1]) < 100


def test_options_reach_the_compiler(kiln):
    reply = run(kiln, "scale", "f32=2", "f32[8]", "i64=8", options=("-O0",))
    assert reply["key"] != run(kiln, "scale", "f32=2", "f32[8]", "i64=8")["key"]


@pytest.mark.parametrize(
    "kernel,arguments,status,kind,said",
    [
        ("nothing", [], 4, "no_such_kernel", ["'nothing'", "k.ll"]),
        ("leave", [], 5, "kernel_crash", ["'leave' did not return", "Aborted"]),
        ("scale", ["f32=2", "f32[4]", "i64=1000000000"], 5, "kernel_crash", ["Segmentation fault", "arguments"]),
    ],
)
def test_what_goes_wrong_is_said_and_ends_no_more_than_the_call(kiln, kernel, arguments, status, kind, said):
    failure = run(kiln, kernel, *arguments, status=status)["failure"]
    assert failure["kind"] == kind
    for text in said:
        assert text in failure["message"]


def test_what_does_not_compile_has_its_log(kiln, work):
    (work / "bad.ll").write_text("define void @f() { ret i32 1 }\n")
    reply = kiln.json("run", "bad.ll", "--kernel", "f", status=1)
    assert reply["failure"]["kind"] == "compile_error" and "bad.ll:1:24" in reply["log"]


@pytest.mark.parametrize(
    "arguments,said",
    [
        (["--arg", "f32"], "'f32' is no argument"),
        (["--target", "sm_90"], "sm_90 is none"),
        ([], "--kernel is required"),
    ],
)
def test_a_wrong_line_is_told(kiln, arguments, said):
    kernel = [] if said == "--kernel is required" else ["--kernel", "scale"]
    done = kiln.run("run", "k.ll", *kernel, *arguments)
    assert done.returncode == 2 and said in done.stderr.decode()


def test_people_are_shown_a_table(kiln):
    done = subprocess.run(
        [kiln.program, "run", "k.ll", "--kernel", "scale", "--arg", "f32=2", "--arg", "f32[4]", "--arg", "i64=4"],
        cwd=kiln.folder,
        env=kiln.environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stderr
    assert "checksum before" in done.stdout and "f32[4]" in done.stdout
