"""PTX by nvJitLink."""

import subprocess
import sys

from harness import DEADLINE, ROOT, ReferenceResult, nvjitlink_library
from kernels import Kernel
from subject import Subject, stand_in

DIRECT = ROOT / "tests/reference/nvjitlink_direct.py"

HEAD = ".version 8.0\n.target sm_80\n.address_size 64\n"
SCALE = (
    HEAD
    + """.visible .entry scale(.param .u64 data, .param .f32 by)
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
)


def slow(count):
    """Long chains of instructions without a loop to find."""
    steps = "".join(
        f"  sin.approx.f32 %f{i + 1}, %f{i};\n  fma.rn.f32 %f{i + 1}, %f{i + 1}, %f{max(0, i - 37)}, %f{i // 2};\n"
        for i in range(800)
    )
    return HEAD + "".join(
        f".visible .entry k{number}(.param .u64 data)\n{{\n  .reg .b64 %rd<3>;\n  .reg .f32 %f<801>;\n"
        "  ld.param.u64 %rd1, [data];\n  cvta.to.global.u64 %rd2, %rd1;\n  ld.global.f32 %f0, [%rd2];\n"
        f"{steps}  st.global.f32 [%rd2], %f800;\n  ret;\n}}\n"
        for number in range(count)
    )


def call_directly(subject, folder, source, kernel, target):
    places = folder.parent / "direct"
    places.mkdir(exist_ok=True)
    arguments = [source, places / "cubin", places / "log", f"-arch={target}", *kernel.options]
    result = subprocess.run(
        [sys.executable, DIRECT, nvjitlink_library(subject.version), *arguments], cwd=folder, timeout=DEADLINE
    )
    assert result.returncode in (0, 1)
    succeeded = result.returncode == 0
    outputs = {"cubin": (places / "cubin").read_bytes()} if succeeded else {}
    return ReferenceResult(succeeded, outputs, (places / "log").read_bytes(), {})


PLAIN = Kernel("plain", SCALE)
WARNED = Kernel("warning", SCALE.replace(".param .f32 by)", ".param .f32 by)\n.minnctapersm 4"), log_holds="ignored")
BROKEN = Kernel("error", SCALE.replace("mul.f32", "mulf32"), compiles=False, log_holds="mulf32")
# As generators write it: the instructions have lines of a source.
LINES = SCALE.replace("{\n", "{\n  .loc 1 4 7\n", 1).replace("  mul.f32", "  .loc 1 6 11\n  mul.f32") + '.file 1 "made.py"\n'
OPTIONS = (("-O0",), ("-g",), ("-lineinfo", "-maxrregcount=32"), ("-Xptxas=-O1",))


def nvjitlink(version):
    return Subject(
        frontend="nvjitlink",
        version=version,
        library=nvjitlink_library(version),
        misbehaving=stand_in("misbehaving_nvjitlink/libnvJitLink.so.13"),
        call_directly=call_directly,
        language="ptx",
        other_language="cuda",
        extension="ptx",
        comment="//",
        output="cubin",
        other_output="ptx",
        targets=("sm_90", "sm_80", "sm_90a", "sm_100f"),
        unknown_targets=("sm_99", "sm_119f"),
        refused_option="-time",
        byte_changing_option="-O0",
        slow=slow,
        refused_fields=frozenset(
            {"headers", "names.includeDirectories", "nameExpressions", "outputs", "virtualArchitecture"}
        ),
        kernels=(PLAIN, WARNED, BROKEN, *(Kernel(" ".join(options), SCALE, options) for options in OPTIONS),
                 Kernel("lines", LINES, ("-lineinfo",)), Kernel("debug lines", LINES, ("-g",))),
        plain=PLAIN,
        variant=Kernel("variant", SCALE.replace("mul.f32", "add.f32")),
        warned=WARNED,
        broken=BROKEN,
    )


SUBJECTS = [nvjitlink("13.0"), nvjitlink("12.9")]
