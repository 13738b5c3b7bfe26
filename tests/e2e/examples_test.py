"""The examples, built against the installed tree as their readers build them, and run with real compilers."""

import os
import re
import subprocess

import pytest

from harness import (
    DEADLINE,
    ROCM_BITCODE,
    ROOT,
    Kiln,
    cuda_includes,
    environment,
    hiprtc_library,
    libdevice,
    nvjitlink_library,
    run,
)

EXAMPLES = ROOT / "examples"
KERNELS = EXAMPLES / "kernels"
CUOBJDUMP = os.environ["KILN_TEST_CUOBJDUMP"]


@pytest.fixture
def toolchains(bin):
    """Every compiler that there is."""
    libraries = ("13.0", hiprtc_library(), nvjitlink_library("13.0"), libdevice(), ROCM_BITCODE)
    return (*libraries, bin / "kiln-compiler-llvm", bin / "kiln-compiler-mlir")


@pytest.fixture
def node(make_daemon, toolchains):
    """A daemon that has compiled nothing yet."""
    daemon = make_daemon(toolchains=toolchains)
    daemon.start()
    return daemon


@pytest.fixture
def shared_node(shared_daemon, toolchains):
    return shared_daemon(*toolchains)


def built(prefix, folder, name):
    """The example's program."""
    run("cmake", "-S", EXAMPLES / name, "-B", folder / name, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", folder / name)
    return folder / name / name


def architecture(binary):
    """What a binary says that it is for."""
    if binary.suffix == ".hsaco":
        return re.search(r"amdhsa.target: +amdgcn-amd-amdhsa--(\S+)", run("llvm-readelf-22", "--notes", binary))[1]
    return "sm_" + re.search(r"\bsm=(\w+)", run(CUOBJDUMP, "-elf", binary))[1]


def instructions(binary):
    """The kernels' code, by the vendor's disassembler."""
    if binary.suffix == ".hsaco":
        return run("llvm-objdump-22", "-d", binary)
    return run(os.environ["KILN_TEST_NVDISASM"], binary)


@pytest.mark.parametrize(
    "file,target,kind",
    [
        ("saxpy.cu", "sm_90", "cubin"),
        ("saxpy.hip", "gfx90a", "hsaco"),
        ("saxpy.ptx", "sm_90", "cubin"),
        ("saxpy.ll", "x86-64-v3", "so"),
        ("saxpy.mlir", "sm_90", "cubin"),
        ("saxpy.mlir", "gfx942", "hsaco"),
        ("saxpy.mlir", "host", "so"),
    ],
)
def test_saxpy_is_compiled_from_every_language(bin, shared_node, work, file, target, kind):
    kiln = Kiln(bin, shared_node.socket, work)
    output = work / f"saxpy.{kind}"
    reply = kiln.compile(KERNELS / file, "-o", output, target=target)
    if kind == "so":
        assert "saxpy" in run("llvm-readelf-22", "--dyn-syms", output)
        return
    assert [row["kernel"] for row in reply["resources"]] == ["saxpy"]
    assert architecture(output) == target
    assert re.search(r"\b(FFMA|v_fma|v_fmac|v_pk_fma)", instructions(output))


def test_saxpy_of_two_languages_computes_one_thing(bin, shared_node, work):
    kiln = Kiln(bin, shared_node.socket, work)
    arguments = ("--kernel", "saxpy", "--arg", "f32=2", "--arg", "f32[4096]", "--arg", "f32[4096]")
    of_mlir = kiln.json("run", KERNELS / "saxpy.mlir", *arguments)["arguments"]
    of_llvm = kiln.json("run", KERNELS / "saxpy.ll", *arguments, "--arg", "i64=4096")["arguments"]
    assert of_mlir == of_llvm[:3]
    assert of_mlir[2]["checksum_after"] != of_mlir[2]["checksum_before"]


def test_gelu_and_mul_runs_as_a_kernel_and_without_one_by_its_reference(prefix, folder, shared_node):
    program = built(prefix, folder, "gelu_and_mul")
    source = EXAMPLES / "gelu_and_mul/gelu_and_mul.mlir"
    printed = run(program, source, env=environment(KILN_SOCKET=shared_node.socket))
    assert re.match(r"kernel: max abs error \S+\n", printed)
    printed = run(program, source, env=environment(KILN_SOCKET="/nowhere"))
    assert printed.startswith("fallback: ")


def test_gelu_and_mul_is_made_for_every_gpu_by_one_command(bin, node, work):
    variables = environment(KILN_SOCKET=node.socket, KILN=bin / "kiln")
    for outcome in ("miss", "hit"):
        printed = run(EXAMPLES / "gelu_and_mul/build_all", work / "out", env=variables)
        assert re.findall(r"outcome +(\w+)", printed) == [outcome] * 5
    made = {path.name: architecture(path) for path in (work / "out").iterdir()}
    assert made == {
        "gelu_and_mul.sm_80.cubin": "sm_80",
        "gelu_and_mul.sm_90a.cubin": "sm_90a",
        "gelu_and_mul.sm_100.cubin": "sm_100",
        "gelu_and_mul.gfx90a.hsaco": "gfx90a",
        "gelu_and_mul.gfx942.hsaco": "gfx942",
    }
    for path in (work / "out").iterdir():
        assert re.search(r"\b(MUFU.EX2|v_exp_f32)", instructions(path))  # of erf


def test_the_autotuner_tunes_the_second_time_without_a_compiler_and_keeps_from_what_is_impossible(prefix, folder, node, bin):
    program = built(prefix, folder, "autotune")
    kiln = Kiln(bin, node.socket, folder)

    def tune():
        return subprocess.run(
            [program], env=environment(KILN_SOCKET=node.socket), capture_output=True, text=True, timeout=DEADLINE
        )

    first = tune()
    assert first.returncode == 0, first.stderr
    lines = dict(re.findall(r"tile (\d+): (.*)", first.stdout))
    impossible = {tile for tile, said in lines.items() if said.startswith("impossible")}
    assert impossible == {tile for tile in lines if 192 % int(tile)} != set()
    assert re.search(r"chosen: tile \d+", first.stdout)
    compiles = kiln.compiles()
    second = tune()
    assert "compiled now" not in second.stdout and second.stdout.count("from the cache") == len(lines)
    assert second.stdout.count("impossible, from the cache") == len(impossible)
    assert kiln.compiles() == compiles


def test_an_application_of_200_kernels_starts_without_a_compile_where_its_bundle_is(
    prefix, folder, node, bin, make_daemon, work
):
    program = built(prefix, folder, "cold_start")
    includes = [part for directory in cuda_includes() for part in ("-I", directory)]

    def counted(printed):
        counts = re.search(r"200 kernels: (\d+) hits, (\d+) compiled, 0 joined; (\d+) of them called here", printed)
        return tuple(map(int, counts.groups()))

    def start(socket):
        return counted(run(program, *includes, "--threads", "2", env=environment(KILN_SOCKET=socket)))

    kiln = Kiln(bin, node.socket, work)
    assert start(node.socket) == (0, 200, 14) and kiln.compiles() == 200
    recorded = kiln.run("record", "-o", "app.lock", "--", program, *includes)
    assert recorded.returncode == 0 and counted(recorded.stdout.decode()) == (200, 0, 14)
    assert kiln.json("build", "app.lock", "-o", "app.kiln")["compiled"] == 0
    assert kiln.compiles() == 200

    locked = folder / "locked.sock"
    bare = make_daemon("bare", toolchains=(), config=f'[[listen]]\npath = "{locked}"\nlane = "locked"\n')
    bare.start()
    failed = subprocess.run(
        [program, *includes], env=environment(KILN_SOCKET=locked), capture_output=True, text=True, timeout=DEADLINE
    )
    assert failed.returncode == 1 and failed.stdout == ""
    assert failed.stderr.startswith("cold_start: activation.cu: activation<relu, float, 1>: not_pinned: ")
    there = Kiln(bin, locked, work)
    there.json("warm", "app.kiln")
    assert start(locked) == (200, 0, 14)
    assert there.json("coverage", "app.lock", "--daemon")["missing"] == 0
    assert there.compiles() == 0
