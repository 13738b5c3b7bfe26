"""LLVM IR by LLVM 22: held against opt, llc, llvm-link and ld.lld, which hold no code of kiln's."""

import ctypes
import pathlib
import re
import subprocess

import pytest

from harness import DEADLINE, ROCM_BITCODE, Kiln, libdevice, linked_directly, nvjitlink_library

pytestmark = pytest.mark.outputs

BODY = """(ptr addrspace(1) %data) {
  %before = load float, ptr addrspace(1) %data
  %after = fmul float %before, 3.0
  store float %after, ptr addrspace(1) %data
  ret void
}
"""
NVIDIA = f'target triple = "nvptx64-nvidia-cuda"\ndefine ptx_kernel void @scale{BODY}'
AMD = f'target triple = "amdgcn-amd-amdhsa"\ndefine amdgpu_kernel void @scale{BODY}'
LEVELS = ("0", "1", "2", "3")
MULTIPLY = "fmul float %before, 3.0"
CALLS_LIBDEVICE = NVIDIA.replace(MULTIPLY, "call float @__nv_sinf(float %before)") + "declare float @__nv_sinf(float)\n"
CALLS_OCML = """target triple = "amdgcn-amd-amdhsa"
define amdgpu_kernel void @scale(ptr addrspace(1) %data) {
  %id = call i64 @__ockl_get_global_id(i32 0)
  %place = getelementptr float, ptr addrspace(1) %data, i64 %id
  %before = load float, ptr addrspace(1) %place
  %after = call float @__ocml_sin_f32(float %before)
  store float %after, ptr addrspace(1) %place
  ret void
}
declare float @__ocml_sin_f32(float)
declare i64 @__ockl_get_global_id(i32)
"""
# What ROCm's own package says for gfx90a; its constants for gfx942 it lacks.
CONSTANTS = ("isa_version_90a", "abi_version_500", "wavefrontsize64_on", "correctly_rounded_sqrt_on", "unsafe_math_off",
             "finite_only_off", "daz_opt_off")
HOST = """define float @power(float %x, ptr %out) {
  %raised = call float @powf(float %x, float 3.0)
  %half = fptrunc float %raised to half
  store half %half, ptr %out
  ret float %raised
}
declare float @powf(float, float)
"""


@pytest.fixture
def node(bin, make_daemon):
    daemon = make_daemon(toolchains=(bin / "kiln-compiler-llvm", nvjitlink_library("13.0"), libdevice(), ROCM_BITCODE))
    daemon.start()
    return daemon


@pytest.fixture
def kiln(bin, node, work):
    (work / "k.ll").write_text(NVIDIA)
    (work / "a.ll").write_text(AMD)
    (work / "h.ll").write_text(HOST)
    return Kiln(bin, node.socket, work)


def tool(*command, input=None):
    done = subprocess.run(list(map(str, command)), input=input, capture_output=True, timeout=DEADLINE, check=True)
    return done.stdout


def compiled_directly(source, triple, processor, level, kind):
    machine = (f"-mtriple={triple}", f"-mcpu={processor}")
    optimised = tool("opt-22", *machine, f"-passes=default<O{level}>", source, "-o", "-")
    generated = ("--asm-verbose=0", "-relocation-model=pic", "--amdhsa-code-object-version=5", f"-filetype={kind}", "-o", "-", "-")
    return tool("llc-22", f"-O{level}", *machine, *generated, input=optimised)


@pytest.mark.parametrize("level", LEVELS)
def test_ptx_and_what_is_linked_of_it_are_what_llvm_s_own_tools_give(kiln, work, level):
    expected = compiled_directly(work / "k.ll", "nvptx64-nvidia-cuda", "sm_90", level, "asm")
    kiln.compile("k.ll", "-o", "k.ptx", "--", f"-O{level}")
    assert (work / "k.ptx").read_bytes() == expected
    reply = kiln.compile("k.ll", "-o", "k.cubin", "--", f"-O{level}")
    assert (reply["outcome"], reply["toolchain"]) == ("miss", "llvm 22.1, nvjitlink 13.0")
    assert (work / "k.cubin").read_bytes() == linked_directly(work, "13.0", "k.ptx", "-arch=sm_90")[0]
    assert kiln.compile("k.ll", "--", f"-O{level}")["outcome"] == "hit"


@pytest.mark.parametrize("target", ["gfx90a", "gfx942", "gfx1030", "gfx1100"])
def test_a_code_object_is_what_llc_and_lld_give(kiln, work, target):
    object_file = work / "direct.o"
    object_file.write_bytes(compiled_directly(work / "a.ll", "amdgcn-amd-amdhsa", target, "2", "obj"))
    linked = work / "direct.hsaco"
    tool("ld.lld-22", "-shared", "--no-undefined", "--build-id=none", object_file, "-o", linked)
    reply = kiln.compile("a.ll", "-o", "a.hsaco", target=target)
    assert (work / "a.hsaco").read_bytes() == linked.read_bytes()
    assert reply["dependencies"] == [] and reply["resources"][0]["kernel"] == "scale"
    assert not list(pathlib.Path("/tmp").glob("kiln-link-*"))


def test_text_of_an_earlier_llvm_has_the_data_layout_of_then(kiln, work):
    earlier = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-f80:128-n8:16:32:64-S128"
    (work / "earlier.ll").write_text(f'target datalayout = "{earlier}"\n{HOST}')
    assert kiln.compile("earlier.ll", target="x86-64-v3")["outcome"] == "miss"


@pytest.mark.parametrize(
    "file,target,options,kind,said",
    [
        ("k.ll", "gfx90a", (), "invalid_request", ["'k.ll' is for nvptx64-nvidia-cuda", "gfx90a"]),
        ("a.ll", "sm_90", (), "invalid_request", ["'a.ll' is for amdgcn-amd-amdhsa", "sm_90"]),
        ("a.ll", "gfx90a", ("-passes=no-such",), "invalid_request", ["'no-such'"]),
        ("a.ll", "gfx90a", ("-O7",), "invalid_request", ["'-O7'", "-O3"]),
        ("h.ll", "znver4:no-such+", (), "unsupported_target", ["'no-such'", "processor"]),
        ("other.ll", "gfx90a", (), "invalid_request", ["'scale'", "gfx942", "gfx90a"]),
        ("layout.ll", "x86-64-v3", (), "invalid_request", ["data layout", "'layout.ll'"]),
        ("bad.ll", "sm_90", (), "compile_error", ["'bad.ll'"]),
    ],
)
def test_what_cannot_be_compiled_says_why(kiln, work, file, target, options, kind, said):
    (work / "other.ll").write_text(AMD.replace("%data) {", '%data) "target-cpu"="gfx942" {'))
    (work / "layout.ll").write_text(f'target datalayout = "E-p:32:32"\n{HOST}')
    (work / "bad.ll").write_text("define void @f() { ret i32 1 }\n")
    reply = kiln.compile(file, "--", *options, target=target, status=1 if kind == "compile_error" else 4)
    assert reply["failure"]["kind"] == kind
    for text in said:
        assert text in reply["failure"]["message"]
    if kind == "compile_error":
        assert "bad.ll:1:24: error: value doesn't match function result type" in reply["log"]


def test_libdevice_is_linked_into_what_calls_it(kiln, work):
    (work / "d.ll").write_text(CALLS_LIBDEVICE)
    tool("llvm-link-22", "--only-needed", "--internalize", work / "d.ll", libdevice(), "-o", work / "linked.bc")
    expected = compiled_directly(work / "linked.bc", "nvptx64-nvidia-cuda", "sm_90", "2", "asm")
    kiln.compile("d.ll", "-o", "d.ptx")
    assert (work / "d.ptx").read_bytes() == expected
    assert kiln.compile("d.ll")["resources"][0]["kernel"] == "scale"


def test_rocm_s_device_libraries_are_linked_into_what_calls_them_with_the_constants_of_its_own_package(kiln, work):
    (work / "o.ll").write_text(CALLS_OCML)
    libraries = [ROCM_BITCODE / name for name in ("ocml.bc", "ockl.bc", *(f"oclc_{one}.bc" for one in CONSTANTS))]
    tool("llvm-link-22", "--only-needed", "--internalize", work / "o.ll", *libraries, "-o", work / "linked.bc")
    object_file = work / "direct.o"
    object_file.write_bytes(compiled_directly(work / "linked.bc", "amdgcn-amd-amdhsa", "gfx90a", "2", "obj"))
    tool("ld.lld-22", "-shared", "--no-undefined", "--build-id=none", object_file, "-o", work / "direct.hsaco")
    kiln.compile("o.ll", "-o", "o.hsaco", target="gfx90a")
    assert (work / "o.hsaco").read_bytes() == (work / "direct.hsaco").read_bytes()


@pytest.mark.parametrize("target", ["gfx90a", "gfx942", "gfx1030", "gfx1100", "gfx90a:sramecc+:xnack-"])
def test_code_objects_are_of_version_5_for_the_target_and_lack_no_symbol(kiln, work, target):
    (work / "o.ll").write_text(CALLS_OCML)
    kiln.compile("o.ll", "-o", "o.hsaco", target=target)
    told = tool("llvm-readelf-22", "--file-header", "--dyn-syms", "--notes", work / "o.hsaco").decode()
    assert re.search(r"ABI Version: +3\n", told)  # what ELF calls code object version 5
    assert re.search(rf"Flags:.*\b{target.partition(':')[0]}\b", told)
    assert f"amdgcn-amd-amdhsa--{target}" in told
    assert re.findall(r"UND (\S+)", told) == []
    assert "v_mul_f32" in tool("llvm-objdump-22", "-d", work / "o.hsaco").decode()


def test_a_device_library_that_is_not_there_is_named_with_the_function(bin, make_daemon, work):
    bare = make_daemon(toolchains=(bin / "kiln-compiler-llvm", nvjitlink_library("13.0")))
    bare.start()
    kiln = Kiln(bin, bare.socket, work)
    for text, target, said in (
        (CALLS_LIBDEVICE, "sm_90", ["__nv_sinf", "libdevice.10.bc", "CUDA toolkit"]),
        (CALLS_OCML, "gfx90a", ["__ocml_sin_f32", "ocml.bc", "rocm-device-libs"]),
    ):
        (work / "m.ll").write_text(text)
        failure = kiln.compile("m.ll", target=target, status=4)["failure"]
        assert failure["kind"] == "toolchain_unavailable"
        for part in said:
            assert part in failure["message"]


def test_a_module_for_the_host_becomes_a_shared_object_that_loads_and_runs(kiln, work):
    reply = kiln.compile("h.ll", "-o", "h.so", target="host")
    assert (reply["outputs"][0]["kind"], reply["resources"]) == ("shared-object", [])
    out = (ctypes.c_uint16 * 1)()
    power = ctypes.CDLL(str(work / "h.so")).power
    power.restype = ctypes.c_float
    assert power(ctypes.c_float(2.0), out) == 8.0
    assert out[0] == 0x4800  # 8.0 in half precision
    assert kiln.compile("h.ll", target="host")["outcome"] == "hit"
    target = kiln.json("show", reply["key"])["target"]
    assert target != "host"
    assert kiln.compile("h.ll", target=target)["key"] == reply["key"]


@pytest.mark.parametrize("target", ["x86-64", "x86-64-v3", "znver4", "x86-64-v3:avx512f+:avx2-"])
def test_a_shared_object_is_what_llc_gives_for_the_processor_and_calls_the_system_s_libraries(kiln, work, target):
    processor, *features = target.split(":")
    attributes = ",".join(feature[-1] + feature[:-1] for feature in features)
    kiln.compile("h.ll", "-o", "h.so", target=target)
    machine = ("-mtriple=x86_64-unknown-linux-gnu", f"-mcpu={processor}", f"-mattr={attributes}")
    bitcode = tool("opt-22", *machine, "-passes=default<O2>", work / "h.ll", "-o", "-")
    (work / "h.o").write_bytes(
        tool("llc-22", "-O2", *machine, "-relocation-model=pic", "-filetype=obj", "-o", "-", "-", input=bitcode)
    )

    def instructions(path):
        lines = tool("llvm-objdump-22", "-d", "--no-show-raw-insn", "--no-addresses", "--section=.text", path).decode()
        return [line.split()[0] for line in lines.splitlines() if line.startswith("\t") or line.startswith("   ")]

    assert instructions(work / "h.so")[: len(instructions(work / "h.o"))] == instructions(work / "h.o") != []
    needed = set(re.findall(r"NEEDED.*\[(.*)\]", tool("llvm-readelf-22", "-d", work / "h.so").decode()))
    lacks_f16c = target == "x86-64"
    assert needed == ({"libm.so.6", "libgcc_s.so.1"} if lacks_f16c else {"libm.so.6"})


def test_what_the_module_says_of_the_processor_gives_way_to_the_target(kiln, work):
    """clang writes one into every function."""
    (work / "own.ll").write_text(HOST.replace("%out) {", '%out) "target-cpu"="znver5" "target-features"="+avx512f" {'))
    kiln.compile("h.ll", "-o", "h.so", target="x86-64")
    kiln.compile("own.ll", "-o", "own.so", target="x86-64")
    assert (work / "own.so").read_bytes() == (work / "h.so").read_bytes()


def test_what_a_module_says_of_its_own_name_is_kept_and_its_file_s_name_reaches_nothing(kiln, work):
    """Asked for as the file that it names, and as another."""
    (work / "named.ll").write_text(f'source_filename = "named.ll"\n{HOST}')
    (work / "copy.ll").write_text((work / "named.ll").read_text())
    first = kiln.compile("named.ll", "-o", "first.so", target="x86-64-v3")
    assert b"named.ll" in (work / "first.so").read_bytes()
    assert kiln.compile("copy.ll", target="x86-64-v3")["key"] == first["key"]
    kiln.compile("h.ll", "-o", "nameless.so", target="x86-64-v3")
    symbols = tool("llvm-readelf-22", "--symbols", work / "nameless.so").decode()
    assert re.search(r"FILE .* kernels$", symbols, re.M) and "h.ll" not in symbols


def test_bitcode_is_compiled_as_text_is(kiln, work):
    (work / "h.bc").write_bytes(tool("llvm-as-22", work / "h.ll", "-o", "-"))
    for file in ("h.ll", "h.bc"):
        kiln.compile(file, "-o", f"{file}.so", target="x86-64-v3")
    without_name = [(work / f"{file}.so").read_bytes() for file in ("h.ll", "h.bc")]
    assert [b"power" in one for one in without_name] == [True, True]
    code = [tool("llvm-objdump-22", "-d", work / f"{file}.so").splitlines()[2:] for file in ("h.ll", "h.bc")]
    assert code[0] == code[1]


def test_calls_that_optimising_brings_about_find_their_libraries(kiln, work):
    (work / "p.ll").write_text("""define i1 @same(ptr %a, ptr %b, i64 %n) {
  %r = call i32 @memcmp(ptr %a, ptr %b, i64 %n)
  %z = icmp eq i32 %r, 0
  ret i1 %z
}
define float @raised(float %x, i32 %n) {
  %r = call float @llvm.powi.f32.i32(float %x, i32 %n)
  ret float %r
}
declare i32 @memcmp(ptr, ptr, i64)
declare float @llvm.powi.f32.i32(float, i32)
""")
    kiln.compile("p.ll", "-o", "p.so", target="host")
    raised = ctypes.CDLL(str(work / "p.so")).raised
    raised.restype = ctypes.c_float
    assert raised(ctypes.c_float(2.0), 5) == 32.0


def test_a_function_of_no_library_is_an_error_of_the_module(kiln, work):
    (work / "u.ll").write_text(HOST.replace("powf", "no_such_function"))
    reply = kiln.compile("u.ll", target="x86-64-v3", status=1)
    assert reply["failure"]["kind"] == "compile_error"
    assert "undefined symbol: no_such_function" in reply["log"]
    assert "/tmp/" not in reply["log"]


def test_what_llvm_cannot_go_on_with_is_an_error_of_the_module_and_no_crash(kiln, work):
    (work / "f.ll").write_text(
        AMD.replace(MULTIPLY, "call float @llvm.nvvm.ex2.approx.f(float %before)")
        + "declare float @llvm.nvvm.ex2.approx.f(float)\n"
    )
    for outcome in ("miss", "hit"):
        reply = kiln.compile("f.ll", target="gfx90a", status=1)
        assert (reply["outcome"], reply["failure"]["kind"]) == (outcome, "compile_error")
        assert "LLVM ERROR: Cannot select: intrinsic %llvm.nvvm.ex2.approx" in reply["log"]


def test_a_language_for_gpus_is_not_compiled_for_the_host(kiln, work):
    (work / "k.cu").write_text("__global__ void k() {}\n")
    failure = kiln.compile("k.cu", target="host", status=4)["failure"]
    assert failure["kind"] == "unsupported_target"
    assert "'k.cu' is cuda" in failure["message"]


@pytest.mark.parametrize("program", ["kilnd", "kiln", "kiln-compiler"])
def test_no_other_program_is_linked_with_llvm(bin, program):
    needed = tool("llvm-readelf-22", "--needed-libs", bin / program).decode()
    assert "libc.so" in needed and "LLVM" not in needed


def test_a_node_without_the_program_says_what_is_missing(bin, make_daemon, work):
    bare = make_daemon()
    bare.start()
    (work / "k.ll").write_text(NVIDIA)
    failure = Kiln(bin, bare.socket, work).compile("k.ll", status=4)["failure"]
    assert failure["kind"] == "toolchain_unavailable"
    assert "llvm-ir" in failure["message"]
