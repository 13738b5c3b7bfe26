"""What is installed works by itself: the programs, and the library for other people's programs."""

import os
import pathlib
import re
import subprocess

from harness import DEADLINE, ROOT, environment, run


def test_the_installed_daemon_finds_its_compiler_program(prefix, folder, make_daemon, work):
    daemon = make_daemon(programs=prefix / "bin", toolchains=("13.0", *(prefix / "libexec").glob("kiln-compiler-*")))
    daemon.start()
    run(
        *(prefix / "bin/kiln", "--socket", daemon.socket, "compile", ROOT / "examples/kernels/saxpy.cu"),
        *("--target", "sm_90", "-o", work / "saxpy.cubin"),
    )
    assert (work / "saxpy.cubin").read_bytes()[:4] == b"\x7fELF"
    for file, arguments in {"saxpy.ll": ("--arg", "i64=8"), "saxpy.mlir": ()}.items():
        source = ROOT / "examples/kernels" / file
        buffers = ("--arg", "f32=2", "--arg", "f32[4096]", "--arg", "f32[4096]")
        called = (prefix / "bin/kiln", "--socket", daemon.socket, "run", source, "--kernel", "saxpy", *buffers)
        assert "outcome" in run(*called, *arguments)


def test_the_installed_service_starts_the_installed_daemon(prefix):
    lines = (prefix / "share/kiln/kilnd.service").read_text().splitlines()
    (start,) = [line for line in lines if line.startswith("ExecStart=")]
    assert start == f"ExecStart={prefix}/bin/kilnd --config /etc/kiln/kilnd.toml"
    assert (prefix / "bin/kilnd").exists()


def test_the_cmake_example_builds_against_the_installed_tree(prefix, folder, daemon):
    build = folder / "build"
    run("cmake", "-S", ROOT / "examples/saxpy", "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", build)
    arguments = (build / "saxpy", ROOT / "examples/kernels/saxpy.cu", "sm_90")
    assert run(*arguments, env=environment(KILN_SOCKET=daemon.socket)).startswith("miss")
    assert run(*arguments, env=environment(KILN_SOCKET=daemon.socket)).startswith("hit")


def test_the_c_examples_build_by_pkg_config_and_run(prefix, bin, folder, make_daemon, work):
    daemon = make_daemon(toolchains=("13.0", bin / "kiln-compiler-llvm"))
    daemon.start()
    (pkg_config,) = prefix.glob("lib*/**/pkgconfig")
    source = folder / "c"
    source.mkdir()
    for file in (ROOT / "examples/c").iterdir():
        (source / file.name).write_bytes(file.read_bytes())
    run("make", "-C", source, f"PKG_CONFIG_PATH={pkg_config}")
    run(
        *(source / "compile", ROOT / "examples/kernels/saxpy.cu", "sm_90", work / "saxpy.cubin"),
        env=environment(KILN_SOCKET=daemon.socket),
    )
    assert (work / "saxpy.cubin").read_bytes()[:4] == b"\x7fELF"
    load = (source / "load", ROOT / "examples/kernels/saxpy.ll")
    assert run(*load, env=environment(KILN_SOCKET=daemon.socket)) == "12 24 36 48\n"
    refused = subprocess.run(load, env=environment(KILN_SOCKET="/nowhere"), capture_output=True, timeout=DEADLINE)
    assert refused.returncode == 1 and b"load: kilnd cannot be reached" in refused.stderr


def test_a_machine_without_llvm_builds_the_rest(folder):
    """Configured as if there were none: every other program is a target, and the tests' programs too."""
    build = pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parent.parent
    cache = (build / "CMakeCache.txt").read_text()
    kept = re.findall(r"^((?:KILN_DEPS_DIR|CMAKE_BUILD_TYPE)):\w+=(.*)$", cache, re.M)
    run("cmake", "-G", "Ninja", "-S", ROOT, "-B", folder / "build", "-DKILN_LLVM=OFF", *(f"-D{k}={v}" for k, v in kept))
    targets = run("ninja", "-C", folder / "build", "-t", "targets", "all")
    for program in ("kilnd", "kiln-compiler", "kiln"):
        assert re.search(rf"^(.*/)?bin/{program}: ", targets, re.M), program
    assert "bin/kiln-compiler-llvm: " not in targets and "bin/kiln-compiler-mlir: " not in targets
