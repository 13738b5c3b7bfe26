"""MLIR by MLIR 22: one source for NVIDIA, AMD and the CPU, by the default pipelines, which have passes of kiln's own."""

import ctypes
import itertools
import math
import random
import re
import subprocess

import pytest

from harness import DEADLINE, ROCM_BITCODE, ROOT, Kiln, libdevice, nvjitlink_library

pytestmark = pytest.mark.outputs

GELU = (ROOT / "examples/gelu_and_mul/gelu_and_mul.mlir").read_text()
TARGETS = ("host", "sm_80", "sm_90a", "sm_100", "gfx90a", "gfx942", "gfx1100")


def elementwise(name, length, body="arith.addf %v, %v : f32", kind="memref"):
    return f"""func.func @{name}(%data: {kind}<{length}xf32>) {{
  linalg.generic {{indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}}
      outs(%data : {kind}<{length}xf32>) {{
  ^bb0(%v: f32):
    %r = {body}
    linalg.yield %r : f32
  }}
  return
}}
"""


MATMUL = """func.func @matmul(%a: memref<7x33xf32>, %b: memref<33x300xf32>, %c: memref<7x300xf32>) {
  linalg.matmul ins(%a, %b : memref<7x33xf32>, memref<33x300xf32>) outs(%c : memref<7x300xf32>)
  return
}
"""
VECTOR = """func.func @add(%x: memref<64xf32>, %y: memref<64xf32>) {
  %zero = arith.constant 0 : index
  %end = arith.constant 64 : index
  %step = arith.constant 4 : index
  %pad = arith.constant 0.0 : f32
  scf.parallel (%i) = (%zero) to (%end) step (%step) {
    %a = vector.transfer_read %x[%i], %pad {in_bounds = [true]} : memref<64xf32>, vector<4xf32>
    %b = vector.transfer_read %y[%i], %pad {in_bounds = [true]} : memref<64xf32>, vector<4xf32>
    %s = arith.addf %a, %b : vector<4xf32>
    vector.transfer_write %s, %y[%i] {in_bounds = [true]} : vector<4xf32>, memref<64xf32>
  }
  return
}
"""
TENSOR = """func.func @relu(%x: tensor<1000xf32>) -> tensor<1000xf32> {
  %out = tensor.empty() : tensor<1000xf32>
  %zero = arith.constant 0.0 : f32
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<1000xf32>) outs(%out : tensor<1000xf32>) {
  ^bb0(%v: f32, %u: f32):
    %m = arith.maximumf %v, %zero : f32
    linalg.yield %m : f32
  } -> tensor<1000xf32>
  return %r : tensor<1000xf32>
}
"""
COLUMN = "memref<4x1xf32, strided<[2, 1], offset: 1>>"
COPY = f"""func.func @column(%x: memref<4x2xf32>, %out: memref<4x2xf32>) {{
  %from = memref.subview %x[0, 1] [4, 1] [1, 1] : memref<4x2xf32> to {COLUMN}
  %to = memref.subview %out[0, 1] [4, 1] [1, 1] : memref<4x2xf32> to {COLUMN}
  memref.copy %from, %to : {COLUMN} to {COLUMN}
  return
}}
"""
SUM = """func.func @sum(%x: memref<8xf32>, %out: memref<8xf32>) {
  %zero = arith.constant 0 : index
  %end = arith.constant 8 : index
  %one = arith.constant 1 : index
  %start = arith.constant 0.0 : f32
  scf.parallel (%i) = (%zero) to (%end) step (%one) {
    memref.store %start, %out[%i] : memref<8xf32>
  }
  %s = scf.parallel (%i) = (%zero) to (%end) step (%one) init (%start) -> f32 {
    %v = memref.load %x[%i] : memref<8xf32>
    scf.reduce(%v : f32) {
    ^bb0(%a: f32, %b: f32):
      %r = arith.addf %a, %b : f32
      scf.reduce.return %r : f32
    }
  }
  memref.store %s, %out[%zero] : memref<8xf32>
  return
}
"""
LAUNCHED = """module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @scale(%by: f32, %data: memref<8xf32>) kernel {
      %i = gpu.thread_id x
      %v = memref.load %data[%i] : memref<8xf32>
      %r = arith.mulf %v, %by : f32
      memref.store %r, %data[%i] : memref<8xf32>
      gpu.return
    }
  }
  func.func @main(%data: memref<8xf32>) {
    %one = arith.constant 1 : index
    %by = arith.constant 2.0 : f32
    gpu.launch_func @kernels::@scale blocks in (%one, %one, %one) threads in (%one, %one, %one)
        args(%by : f32, %data : memref<8xf32>)
    gpu.launch_func @kernels::@scale blocks in (%one, %one, %one) threads in (%one, %one, %one)
        args(%by : f32, %data : memref<8xf32>)
    return
  }
}
"""
NVVM = """gpu.module @kernels {
  llvm.func @store_thread(%p: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
    %i = nvvm.read.ptx.sreg.tid.x : i32
    llvm.store %i, %p : i32, !llvm.ptr
    llvm.return
  }
}
"""
ROCDL = NVVM.replace("nvvm.kernel", "rocdl.kernel").replace("nvvm.read.ptx.sreg.tid.x", "rocdl.workitem.id.x")
NUMBERS = itertools.count()
LLVM = "llvm.func @add(%a: i64, %b: i64) -> i64 {\n  %s = llvm.add %a, %b : i64\n  llvm.return %s : i64\n}\n"


@pytest.fixture
def kiln(bin, make_daemon, work):
    programs = (bin / "kiln-compiler-mlir", bin / "kiln-compiler-llvm")
    daemon = make_daemon(toolchains=(*programs, nvjitlink_library("13.0"), libdevice(), ROCM_BITCODE))
    daemon.start()
    return Kiln(bin, daemon.socket, work)


def compile(kiln, text, target, output, *options, **settings):
    (kiln.folder / "k.mlir").write_text(text)
    return kiln.compile("k.mlir", "-o", output, "--", *options, target=target, **settings)


def floats(values):
    return (ctypes.c_float * len(values))(*values)


def tool(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=DEADLINE, check=True)
    return done.stdout


def loaded(kiln, text, *options):
    """Each under a name of its own, by which the dynamic loader knows what it has loaded."""
    output = f"k{next(NUMBERS)}.so"
    compile(kiln, text, "host", output, *options)
    return ctypes.CDLL(str(kiln.folder / output))


@pytest.mark.parametrize("target", TARGETS)
def test_one_linalg_source_is_compiled_for_every_vendor_and_the_processor(kiln, target):
    reply = compile(kiln, GELU, target, "out")
    assert reply["outcome"] == "miss"
    assert [row["kernel"] for row in reply["resources"]] == ([] if target == "host" else ["gelu_and_mul"])
    assert compile(kiln, GELU, target, "out")["outcome"] == "hit"


@pytest.mark.parametrize("rows,columns", [(64, 256), (3, 5), (0, 4)])
def test_on_the_host_it_computes_what_it_says_of_any_shape(kiln, rows, columns):
    library = loaded(kiln, GELU)
    source = random.Random(7)
    x = [source.uniform(-4, 4) for _ in range(rows * 2 * columns)]
    given, out = floats(x), floats([0.0] * (rows * columns))
    library.gelu_and_mul(given, out, ctypes.c_int64(rows), ctypes.c_int64(columns))
    worst = 0.0
    for row in range(rows):
        for column in range(columns):
            first, second = (given[(2 * row + half) * columns + column] for half in (0, 1))
            expected = 0.5 * first * (1 + math.erf(first / math.sqrt(2))) * second
            worst = max(worst, abs(out[row * columns + column] - expected))
    assert worst < 1e-3


def ptx_of(kiln, text, *options):
    compile(kiln, text, "sm_90", "k.ptx", *options)
    return (kiln.folder / "k.ptx").read_text()


def parameters(ptx, kernel):
    (listed,) = re.findall(rf"\.entry {kernel}\((.*?)\)", ptx, re.S)
    return re.findall(r"\.param \.(\w+)", listed)


def test_a_kernel_has_the_name_and_the_arguments_of_its_function(kiln):
    assert parameters(ptx_of(kiln, GELU), "gelu_and_mul") == ["u64", "u64", "u64", "u64"]
    assert parameters(ptx_of(kiln, MATMUL), "matmul") == ["u64", "u64", "u64"]
    unused = MATMUL.replace("(%a:", "(%unused: i32, %a:")
    assert parameters(ptx_of(kiln, unused), "matmul") == ["u32", "u64", "u64", "u64"]


def test_memrefs_of_unknown_shape_are_handed_over_as_mlir_s_descriptors(kiln):
    descriptor = ["u64"] * 5  # two addresses, an offset, a size and a stride
    assert parameters(ptx_of(kiln, elementwise("double_it", "?")), "double_it") == descriptor
    library = loaded(kiln, elementwise("double_it", "?"))
    data = floats([1.0, 2.0, 3.0])
    one, zero, three = (ctypes.c_int64(number) for number in (1, 0, 2))
    library.double_it(data, data, zero, three, one)
    assert list(data) == [2.0, 4.0, 3.0]


def test_the_last_dimension_goes_over_blocks_of_256_threads_and_is_checked(kiln):
    ptx = ptx_of(kiln, MATMUL)
    assert re.search(r"\.maxntid 256, 1, 1", ptx)
    assert "%ctaid.x" in ptx and "%ctaid.y" in ptx and re.search(r"setp\.\w+\.u32 .*, 299;", ptx)
    assert re.search(r"\.maxntid 100, 1, 1", ptx_of(kiln, elementwise("short", 100)))


@pytest.mark.parametrize(
    "text,instruction",
    [(MATMUL, "st.global"), (VECTOR, "st.global"), (TENSOR, "st.global"), (elementwise("e", 1000, "math.exp %v : f32"), "ex2.approx")],
    ids=["matmul", "vector", "tensor", "math"],
)
def test_other_dialects_become_kernels_too(kiln, text, instruction):
    assert instruction in ptx_of(kiln, text)
    assert len(compile(kiln, text, "gfx90a", "k.hsaco")["resources"]) == 1


def test_vectors_and_tensors_compute_what_they_say_on_the_host(kiln):
    x, y = floats(range(64)), floats([1.0] * 64)
    loaded(kiln, VECTOR).add(x, y)
    assert list(y) == [number + 1.0 for number in range(64)]
    given, out = floats([-1.0, 2.0] * 500), floats([7.0] * 1000)
    loaded(kiln, TENSOR).relu(given, out)
    assert list(out) == [0.0, 2.0] * 500


def test_a_result_is_an_argument_and_the_tensors_that_are_given_stay_as_they_are(kiln):
    given, out = floats([-1.0, 2.0] * 500), floats([7.0] * 1000)
    into_itself = TENSOR.replace("  %out = tensor.empty() : tensor<1000xf32>\n", "").replace("%out", "%x")
    loaded(kiln, into_itself).relu(given, out)
    assert (list(out), list(given)) == ([0.0, 2.0] * 500, [-1.0, 2.0] * 500)
    assert parameters(ptx_of(kiln, into_itself), "relu") == ["u64", "u64"]


def test_the_kernels_of_one_function_have_its_name_and_a_number(kiln):
    two = elementwise("f", 8).replace("  return", "  %c = arith.constant 1.0 : f32\n  linalg.fill ins(%c : f32) outs(%data : memref<8xf32>)\n  return")
    assert re.findall(r"\.entry (\w+)", ptx_of(kiln, two)) == ["f_0", "f_1"]
    reply = compile(kiln, two, "gfx90a", "k.hsaco")
    assert [row["kernel"] for row in reply["resources"]] == ["f_0", "f_1"]


def test_gpu_modules_that_define_one_name_are_an_error_of_the_source(kiln):
    module = LAUNCHED[LAUNCHED.index("  gpu.module") : LAUNCHED.index("  func.func")]
    twice = "module attributes {gpu.container_module} {\n" + module + module.replace("@kernels", "@others") + "}\n"
    reply = compile(kiln, twice, "gfx90a", "k.hsaco", status=1)
    assert reply["failure"]["kind"] == "compile_error"
    assert "symbol multiply defined" in reply["log"]


def test_a_copy_between_strided_memrefs_is_a_kernel_and_code_without_mlir_s_runtime(kiln):
    out = floats([0] * 8)
    loaded(kiln, COPY).column(floats(range(8)), out)
    assert list(out) == [0, 1, 0, 3, 0, 5, 0, 7]
    assert parameters(ptx_of(kiln, COPY), "column") == ["u64", "u64"]


def test_a_gpu_module_that_is_there_keeps_its_kernels_as_they_are(kiln):
    assert parameters(ptx_of(kiln, LAUNCHED), "scale") == ["f32", "u64"]


def test_names_bind_where_a_stated_pipeline_may_bring_them_into_the_output(kiln, work):
    debug = "pipeline=convert-func-to-llvm,reconcile-unrealized-casts,ensure-debug-info-scope-on-llvm-func"
    text = "func.func @same(%a: i64) -> i64 {\n  return %a : i64\n}\n"
    made = []
    for name in ("one.mlir", "another.mlir"):
        (work / name).write_text(text)
        reply = kiln.compile(name, "-o", "k.so", "--", debug, target="host")
        assert reply["outcome"] == "miss"
        made.append((work / "k.so").read_bytes())
    assert b"one.mlir" in made[0] and b"another.mlir" in made[1]
    first, second = (work / "one.mlir", work / "another.mlir")
    assert kiln.compile(first.name, target="host")["outcome"] == "miss"
    assert kiln.compile(second.name, target="host")["outcome"] == "hit"


def test_the_vendors_own_dialects_are_taken_as_they_are(kiln):
    assert "%tid.x" in ptx_of(kiln, NVVM)
    compile(kiln, ROCDL, "gfx942", "k.hsaco")
    assert "store_thread" in tool("llvm-readelf-22", "--notes", kiln.folder / "k.hsaco")
    assert loaded(kiln, LLVM).add(ctypes.c_int64(40), ctypes.c_int64(2)) == 42


def test_a_stated_pipeline_may_leave_its_anchor_out(kiln):
    stated = "convert-func-to-llvm,convert-arith-to-llvm,reconcile-unrealized-casts"
    text = "func.func @add(%a: i64, %b: i64) -> i64 {\n  %s = arith.addi %a, %b : i64\n  return %s : i64\n}\n"
    assert loaded(kiln, text, f"pipeline={stated}").add(ctypes.c_int64(40), ctypes.c_int64(2)) == 42
    short = compile(kiln, text, "host", "k.so", f"pipeline={stated}")
    whole = compile(kiln, text, "host", "k.so", f"pipeline=builtin.module({stated})")
    assert short["outputs"][0]["sha256"] == whole["outputs"][0]["sha256"]


@pytest.mark.parametrize(
    "text,options,status,kind,said",
    [
        (LLVM, ("pipeline=no-such-pass",), 4, "invalid_request", ["'no-such-pass'", "convert-gpu-to-nvvm", "canonicalize"]),
        (LLVM, ("pipeline=canonicalize{no-such-option=1}",), 4, "invalid_request", ["no-such-option"]),
        (LLVM, ("pipeline=gpu-module-to-binary",), 4, "invalid_request", ["'gpu-module-to-binary'", "runs a program"]),
        (LLVM, ("pipeline=builtin.module(\nprint-ir)",), 4, "invalid_request", ["'print-ir'"]),
        (LLVM, ("pipeline=inline{default-pipeline=print-ir}",), 4, "invalid_request", ["'print-ir'"]),
        (LLVM, ("--canonicalize",), 4, "invalid_request", ["'--canonicalize'", "pipeline="]),
        ('"no_such.op"() : () -> ()\n', (), 1, "compile_error", ["k.mlir:1:13: error: ", "no_such", "linalg"]),
        ("no_such.op\n", (), 1, "compile_error", ["k.mlir:1:1: error: ", "no_such", "linalg"]),
        ("func.func @f(%a: !no_such.type)\n", (), 1, "compile_error", ["k.mlir:1:27: error: ", "no_such", "linalg"]),
        (MATMUL.replace("%c :", "%d :"), (), 1, "compile_error", ["k.mlir:2:", "use of undeclared SSA value"]),
        ("module {\n", (), 1, "compile_error", ["k.mlir:1:9: error"]),
    ],
)
def test_what_cannot_be_compiled_says_where_and_why(kiln, text, options, status, kind, said):
    reply = compile(kiln, text, "host", "k.so", *options, status=status)
    assert reply["failure"]["kind"] == kind
    shown = reply["failure"]["message"] + reply["log"]
    for part in said:
        assert part in shown


@pytest.mark.parametrize(
    "text,said",
    [
        ("func.func @f(%a: i64) -> i64 {\n  return %a : i64\n}\n", "holds no kernel"),
        ("""func.func @f(%data: memref<8xf32>, %at: memref<1xf32>) {
  %zero = arith.constant 0 : index
  %by = memref.load %at[%zero] : memref<1xf32>
  linalg.fill ins(%by : f32) outs(%data : memref<8xf32>)
  return
}
""", "make it an argument of the function"),
        (SUM, "beside its kernels"),
    ],
)
def test_what_is_no_kernel_for_a_gpu_is_told(kiln, text, said):
    reply = compile(kiln, text, "gfx90a", "k.hsaco", status=1)
    assert said in reply["failure"]["message"] + reply["log"]


def test_bytecode_is_taken_as_text_is(kiln, work):
    (work / "text.mlir").write_text(MATMUL)
    tool("mlir-opt-22", "--emit-bytecode", work / "text.mlir", "-o", work / "bytecode.mlir")
    reply = kiln.compile("bytecode.mlir", "-o", "b.hsaco", target="gfx90a")
    assert reply["resources"][0]["kernel"] == "matmul"
    kiln.compile("text.mlir", "-o", "t.hsaco", target="gfx90a")
    assert (work / "b.hsaco").read_bytes() == (work / "t.hsaco").read_bytes()
