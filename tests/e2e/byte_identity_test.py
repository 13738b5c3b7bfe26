"""What kiln gives is what NVRTC gives: outputs, logs and lowered names, on a miss and on a hit."""

import os

import pytest

from harness import cuda_includes
from kernels import KERNELS

# The installed CUB is the newest toolchain's.
CASES = [
    (kernel, version)
    for kernel in KERNELS
    for version in ("13.0", "12.9")
    if version == "13.0" or not kernel.needs_cuda_headers
]


class Case:
    """One kernel laid out on disk, as arguments for both programs."""

    def __init__(self, kernel, work):
        self.kernel = kernel
        self.source = "kernel.cu"
        (work / self.source).write_text(kernel.source)
        for path, content in kernel.files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(content)
        # NVRTC writes the files' times into line tables; kiln, whose hits know no times, writes 0.
        for path in (self.source, *kernel.files):
            os.utime(work / path, (0, 0))
        self.headers = []
        for number, (name, content) in enumerate(kernel.headers.items()):
            path = work.parent / f"header{number}"
            path.write_text(content)
            self.headers.append((name, path))
        self.includes = list(kernel.includes) + (cuda_includes() if kernel.needs_cuda_headers else [])

    def compile_by_kiln(self, kiln, version, places):
        places.mkdir()
        arguments = ["--toolchain", f"nvrtc {version}"]
        for directory in self.includes:
            arguments += ["-I", directory]
        for name, path in self.headers:
            arguments += ["--header", f"{name}={path}"]
        for expression in self.kernel.name_expressions:
            arguments += ["--name-expression", expression]
        for kind in self.kernel.outputs:
            arguments += ["--output", f"{kind}={places / kind}"]
        reply = kiln.compile(
            self.source, *arguments, "--", *self.kernel.options, status=0 if self.kernel.compiles else 1
        )
        return reply, {path.name: path.read_bytes() for path in places.iterdir()}

    def compile_by_nvrtc(self, reference, version):
        options = ["-arch=sm_90", *(f"-I{directory}" for directory in self.includes), *self.kernel.options]
        return reference.compile(
            version, self.source, options, self.kernel.outputs, self.headers, self.kernel.name_expressions
        )


@pytest.mark.parametrize("kernel,version", CASES, ids=lambda value: str(value))
def test_kiln_gives_what_nvrtc_gives(kiln, reference, work, folder, kernel, version):
    case = Case(kernel, work)
    miss, compiled = case.compile_by_kiln(kiln, version, folder / "compiled")
    hit, cached = case.compile_by_kiln(kiln, version, folder / "cached")
    expected = case.compile_by_nvrtc(reference, version)

    assert (miss["outcome"], hit["outcome"]) == ("miss", "hit")
    assert expected.succeeded == kernel.compiles
    # NVRTC ends what is text by a NUL that is no part of it.
    texts = {kind: data.removesuffix(b"\0") if kind == "ptx" else data for kind, data in expected.outputs.items()}
    assert compiled == texts
    assert cached == texts
    for reply in (miss, hit):
        assert reply["log"] == expected.log.removesuffix(b"\0").decode()
        assert kernel.log_holds in reply["log"]
        names = {name["expression"]: name["lowered"] for name in reply["lowered_names"]}
        assert names == expected.lowered_names
        if not kernel.compiles:
            assert reply["failure"]["kind"] == "compile_error"
            assert reply["outputs"] == []
