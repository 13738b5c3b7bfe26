"""A kernel is compiled once, and kept: through restarts, and right when something changes."""

import hashlib
import os
import shutil

import pytest

from kernels import SAXPY, TEMPLATE

pytestmark = pytest.mark.outputs

SOURCE_WITH_HEADER = '#include "factor.h"\nextern "C" __global__ void k(float* x) { x[threadIdx.x] *= FACTOR; }\n'


@pytest.fixture
def saxpy(work):
    (work / "saxpy.cu").write_text(SAXPY)
    return "saxpy.cu"


def test_a_kernel_is_a_miss_then_a_hit_then_a_hit_after_a_restart(kiln, daemon, work, saxpy):
    replies = [kiln.compile(saxpy, "-o", "first.cubin"), kiln.compile(saxpy, "-o", "second.cubin")]
    daemon.restart()
    replies.append(kiln.compile(saxpy, "-o", "third.cubin"))

    assert [reply["outcome"] for reply in replies] == ["miss", "hit", "hit"]
    assert replies[0]["reason"].startswith("never seen")
    assert len({reply["key"] for reply in replies}) == 1
    files = [(work / f"{name}.cubin").read_bytes() for name in ("first", "second", "third")]
    assert files[0][:4] == b"\x7fELF"
    assert files[0] == files[1] == files[2]
    for reply in replies:
        assert reply["outputs"][0]["sha256"] == hashlib.sha256(files[0]).hexdigest()
        assert reply["outputs"][0]["bytes"] == len(files[0])
        assert reply["compile_ms"] == replies[0]["compile_ms"]
        assert reply["toolchain"] == "nvrtc 13.0"


def test_a_hit_keeps_the_warnings_and_the_lowered_names(kiln, work):
    (work / "k.cu").write_text("template <int N> __global__ void f(float* x) { int unused = N; }\n")
    arguments = ("k.cu", "--name-expression", "f<3>")
    miss, hit = kiln.compile(*arguments), kiln.compile(*arguments)
    assert hit["outcome"] == "hit"
    assert "unused" in hit["log"]
    assert hit["log"] == miss["log"]
    assert hit["lowered_names"] == miss["lowered_names"] == [{"expression": "f<3>", "lowered": "_Z1fILi3EEvPf"}]


def test_diagnostics_are_printed_as_the_compiler_wrote_them(kiln, work):
    (work / "k.cu").write_text('extern "C" __global__ void k() { int unused = 3; }\n')
    for _ in range(2):
        result = kiln.run("compile", "k.cu", "--target", "sm_90")
        assert result.returncode == 0
        assert result.stderr.decode() == kiln.compile("k.cu")["log"]


def test_a_source_from_standard_input_is_compiled(kiln):
    assert kiln.compile("-", input=SAXPY.encode())["outcome"] == "miss"
    assert kiln.compile("-", input=SAXPY.encode())["outcome"] == "hit"


def test_a_changed_header_is_a_miss_that_names_it_and_the_old_text_is_a_hit_again(kiln, work):
    (work / "k.cu").write_text(SOURCE_WITH_HEADER)
    (work / "factor.h").write_text("#define FACTOR 2\n")
    first = kiln.compile("k.cu", "-o", "first.cubin")
    (work / "factor.h").write_text("#define FACTOR 3\n")
    second = kiln.compile("k.cu", "-o", "second.cubin")
    assert second["outcome"] == "miss"
    assert "factor.h" in second["reason"]
    assert (work / "first.cubin").read_bytes() != (work / "second.cubin").read_bytes()

    (work / "factor.h").write_text("#define FACTOR 2\n")
    third = kiln.compile("k.cu")
    assert (third["outcome"], third["key"]) == ("hit", first["key"])


def test_a_touched_header_is_a_hit(kiln, work):
    (work / "k.cu").write_text(SOURCE_WITH_HEADER)
    (work / "factor.h").write_text("#define FACTOR 2\n")
    kiln.compile("k.cu")
    os.utime(work / "factor.h", (1, 1))
    assert kiln.compile("k.cu")["outcome"] == "hit"


def test_a_header_that_appears_earlier_in_the_include_path_is_a_miss(kiln, work):
    (work / "k.cu").write_text('#include <v.h>\nextern "C" __global__ void k(int* x) { *x = V; }\n')
    for directory in ("early", "late"):
        (work / directory).mkdir()
    (work / "late/v.h").write_text("#define V 1\n")
    arguments = ("k.cu", "-I", "early", "-I", "late")
    assert kiln.compile(*arguments)["outcome"] == "miss"
    assert kiln.compile(*arguments)["outcome"] == "hit"
    (work / "early/v.h").write_text("#define V 2\n")
    shadowed = kiln.compile(*arguments)
    assert shadowed["outcome"] == "miss"
    assert "v.h" in shadowed["reason"]


def test_a_moved_tree_is_a_hit(kiln, work):
    tree = work / "here"
    (tree / "include").mkdir(parents=True)
    (tree / "k.cu").write_text(SOURCE_WITH_HEADER)
    (tree / "include/factor.h").write_text("#define FACTOR 2\n")
    first = kiln.compile("k.cu", "-I", "include", cwd=tree)
    shutil.move(tree, work / "there")
    moved = kiln.compile("k.cu", "-I", "include", cwd=work / "there")
    assert (moved["outcome"], moved["key"]) == ("hit", first["key"])


def test_dependencies_are_told_by_role_with_what_was_absent(kiln, work):
    (work / "k.cu").write_text('#include <v.h>\nextern "C" __global__ void k(int* x) { *x = V; }\n')
    for directory in ("early", "late"):
        (work / directory).mkdir()
    (work / "late/v.h").write_text("#define V 1\n")
    reply = kiln.compile("k.cu", "-I", "early", "-I", "late")
    found = {item["path"]: item for item in reply["dependencies"]}
    assert found["<include 1>/v.h"]["kind"] == "file"
    assert found["<include 1>/v.h"]["sha256"] == hashlib.sha256(b"#define V 1\n").hexdigest()
    assert found["<include 0>/v.h"]["kind"] == "absent"


@pytest.mark.toolchains("13.0", "12.9")
def test_a_definition_target_output_or_toolchain_of_its_own_is_its_own_entry(kiln, saxpy):
    replies = [
        kiln.compile(saxpy),
        kiln.compile(saxpy, "-D", "N=1"),
        kiln.compile(saxpy, target="sm_80"),
        kiln.compile(saxpy, "-o", "saxpy.ptx"),
        kiln.compile(saxpy, "--toolchain", "nvrtc 12.9"),
    ]
    assert [reply["outcome"] for reply in replies] == ["miss"] * 5
    assert len({reply["key"] for reply in replies}) == 5
    assert all(reply.get("reason") for reply in replies)


def test_a_remembered_compile_error_is_replayed_and_writes_nothing(kiln, work):
    (work / "k.cu").write_text('extern "C" __global__ void k() { missing(); }\n')
    first = kiln.compile("k.cu", "-o", "k.cubin", status=1)
    again = kiln.compile("k.cu", "-o", "k.cubin", status=1)
    assert (first["outcome"], again["outcome"]) == ("miss", "hit")
    assert again["failure"] == first["failure"]
    assert again["log"] == first["log"]
    assert kiln.compiles() == 1
    assert sorted(path.name for path in work.iterdir()) == ["k.cu"]


def test_an_entry_can_be_listed_and_shown(kiln, work):
    (work / "k.cu").write_text(TEMPLATE)
    reply = kiln.compile("k.cu", "--name-expression", "scale<3, float>", "--", "-lineinfo")
    (entry,) = kiln.json("ls")["entries"]
    assert entry["key"] == reply["key"]
    assert (entry["source"], entry["target"], entry["toolchain"]) == ("k.cu", "sm_90", "nvrtc 13.0")
    assert entry["bytes"] == reply["outputs"][0]["bytes"]

    shown = kiln.json("show", reply["key"][:8])
    assert shown["key"] == reply["key"]
    assert shown["result"] == "artifact"
    assert "-lineinfo" in shown["options"]
    assert shown["names_bind"] is True
    assert shown["source_sha256"] == hashlib.sha256(TEMPLATE.encode()).hexdigest()
    assert shown["lowered_names"] == reply["lowered_names"]
    assert shown["outputs"][0]["sha256"] == reply["outputs"][0]["sha256"]
    assert kiln.json("show", "ffff" * 8, status=4)["failure"]["kind"] == "no_such_entry"


def test_a_key_that_no_entry_has_is_told_from_one_that_several_have(kiln, work):
    def refused(prefix):
        result = kiln.run("show", prefix)
        assert result.returncode == 4
        return result.stderr.decode()

    assert refused("abcd") == "kiln: no entry's key begins with 'abcd'; kiln ls lists them\n"
    keys = []
    while len({key[0] for key in keys}) == len(keys):  # 17 keys cannot all begin otherwise
        (work / "k.cu").write_text(SAXPY + f"// {len(keys)}\n")
        keys.append(kiln.compile("k.cu")["key"])
    shared = keys[-1][0]
    assert refused(shared) == f"kiln: several entries' keys begin with '{shared}'; give more of it\n"
    assert refused("no key").startswith("kiln: no entry's key begins with 'no key'")


def test_hits_misses_and_compiles_are_counted(kiln, saxpy):
    for _ in range(3):
        kiln.compile(saxpy)
    stats = kiln.json("stats")
    assert (stats["hits"], stats["misses"], stats["compiles"], stats["entries"]) == (2, 1, 1, 1)
    assert stats["saved_ms"] > 0
