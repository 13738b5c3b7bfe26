"""Names bind where they can reach the output, and nowhere else; logs show the asker's own."""

import dataclasses
import os
import random

import pytest

from harness import Kiln
from kernels import SAXPY

pytestmark = pytest.mark.outputs

WARNING = 'extern "C" __global__ void k(float* x) {\n  int unused = 3;\n  x[0] = 1;\n}\n'
ERROR = 'extern "C" __global__ void k(float* x) {\n  x[0] = nothing_of_that_name;\n}\n'
BINDING = (["-lineinfo"], ["-G"], ["-rdc=true"], ["-dlto"])


@dataclasses.dataclass
class Place:
    """Where one asker has a source and its headers, and what he calls them."""

    working_directory: object
    source: str
    includes: list


def asked(kiln, reference, place, text, options=(), outputs=("cubin",), version="13.0", status=0, expressions=()):
    """What kiln answers for `text` at `place`, and what NVRTC gives there."""
    path = place.working_directory / place.source
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    for folder, _, names in os.walk(place.working_directory):
        for name in names:
            os.utime(os.path.join(folder, name), (0, 0))  # line tables hold times
    written = [place.working_directory.parent / f"{place.working_directory.name}.{kind}" for kind in outputs]
    arguments = ["--toolchain", f"nvrtc {version}"]
    for kind, output in zip(outputs, written):
        arguments += ["--output", f"{kind}={output}"]
    for directory in place.includes:
        arguments += ["-I", directory]
    for expression in expressions:
        arguments += ["--name-expression", expression]
    reply = kiln.compile(
        *(place.source, *arguments, "--", *options),
        **{"status": status, "cwd": place.working_directory},
        env=kiln.environment | {"TMPDIR": "/nowhere"},  # the tests' own folders are below /tmp
    )
    reference.folder = place.working_directory
    includes = [f"-I{directory}" for directory in place.includes]
    arguments = ["-arch=sm_90", *includes, *options]
    expected = reference.compile(version, place.source, arguments, outputs, name_expressions=expressions)
    got = {kind: output.read_bytes() for kind, output in zip(outputs, written)} if status == 0 else {}
    return reply, got, expected


def assert_equal(reply, got, expected, note=""):
    texts = {kind: data.removesuffix(b"\0") if kind == "ptx" else data for kind, data in expected.outputs.items()}
    assert got == texts, note
    assert reply["log"] == expected.log.removesuffix(b"\0").decode(), note
    assert {name["expression"]: name["lowered"] for name in reply["lowered_names"]} == expected.lowered_names, note


def places(folder):
    """Two askers who call everything otherwise."""
    here, there = folder / "here", folder / "a/longer/way/there"
    for place in (here, there):
        (place / "src").mkdir(parents=True)
    return (
        Place(here, "src/k.cu", ["include"]),
        Place(there, str(there / "src/other name.cu"), [f"{there}/headers/"]),
    )


def test_logs_show_the_asker_s_names_on_hits_too(kiln, reference, folder):
    first, second = places(folder)
    header = "inline __device__ int h() { int lost; return 0; }\n"
    for place in (first, second):
        directory = place.working_directory / place.includes[0]
        directory.mkdir()
        (directory / "h.h").write_text(header)
        (place.working_directory / place.source).parent.joinpath("v.h").write_text(
            "inline __device__ int v() { int gone; return 0; }\n"
        )
    text = '#include <h.h>\n#include "v.h"\n' + WARNING
    miss = asked(kiln, reference, first, text)
    hit = asked(kiln, reference, second, text)
    assert (miss[0]["outcome"], hit[0]["outcome"]) == ("miss", "hit")
    assert_equal(*miss)
    assert_equal(*hit)
    assert "other name.cu(4)" in hit[0]["log"] and "headers/h.h(1)" in hit[0]["log"]


@pytest.mark.parametrize("options", BINDING, ids=lambda options: options[0])
def test_options_that_bring_names_into_the_output_bind_them(kiln, reference, folder, options):
    first, second = places(folder)
    outputs = ("ltoir",) if "-dlto" in options else ("cubin",)
    for place in (first, second):
        reply, got, expected = asked(kiln, reference, place, SAXPY, options, outputs)
        assert reply["outcome"] == "miss"
        assert_equal(reply, got, expected)
    assert kiln.json("show", reply["key"])["names_bind"] is True
    again, _, _ = asked(kiln, reference, first, SAXPY, options, outputs)
    assert again["outcome"] == "hit"


# Texts and options by which a name comes into the output without a plain __FILE__ in the source.
READS = "__global__ void k(char* x) { *x = name[threadIdx.x]; }\n"
HIDDEN = {
    "assert": ('extern "C" __global__ void k(int* x) { assert(x[0]); }\n', []),
    "builtin": ("__device__ const char name[] = {__builtin_FILE()[0], __builtin_FILE()[4]};\n" + READS, []),
    "character": ("__device__ const char name[] = {__FILE__[0], __FILE__[4]};\n" + READS, []),
    "option": ("__device__ const char name[] = NAME;\n" + READS, ["-DNAME=__FILE__"]),
    "option of two words": ("__device__ const char name[] = NAME;\n" + READS, ["-D", "NAME=__FILE__"]),
    "pasted": (
        "#define PASTED(a, b) a##b\n#define PASTE(a, b) PASTED(a, b)\n"
        "__device__ const char name[] = PASTE(__FI, LE__);\n" + READS,
        [],
    ),
    "spliced": ("__device__ const char name[] = __FI\\\nLE__;\n" + READS, []),
    "spliced by a trigraph": ("__device__ const char name[] = __FI??/\nLE__;\n" + READS, ["-std=c++14"]),
}


@pytest.mark.parametrize("text, options", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_name_that_comes_into_the_output_by_a_detour_binds(kiln, reference, folder, text, options):
    for place in places(folder):
        assert_equal(*asked(kiln, reference, place, text, options), note=place.source)


# Logs that say the name of one of the askers' sources by themselves.
SAYING = {
    "macro": '#define F "src/k.cu"\n#line 10 F\n' + WARNING,
    "macro with the number": '#define F 10 "src/k.cu"\n#line F\n' + WARNING,
    "comment": '#line 10 /**/ "src/k.cu"\n' + WARNING,
    "message": '#pragma message("hello\\nsrc/k.cu(3): x")\n' + SAXPY,
    "assertion": 'static_assert(sizeof(int) == 4, "");\n#warning see src/k.cu(3): x\n' + SAXPY,
}


@pytest.mark.parametrize("text", SAYING.values(), ids=SAYING.keys())
def test_a_log_that_says_a_name_by_itself_is_each_asker_s_own(kiln, reference, folder, text):
    for place in places(folder):
        assert_equal(*asked(kiln, reference, place, text), note=place.source)


TEMPLATE = "template <int N> __global__ void k(int* x) { *x = N; }\n"


def test_a_source_of_templates_alone_hits_under_other_names(kiln, reference, folder):
    outcomes = []
    for place in places(folder):
        reply, got, expected = asked(kiln, reference, place, TEMPLATE, expressions=["k<3>"])
        assert_equal(reply, got, expected)
        outcomes.append(reply["outcome"])
    assert outcomes == ["miss", "hit"]


def test_a_source_that_includes_itself_goes_by_its_own_name(kiln, reference, folder):
    text = (
        '#ifndef AGAIN\n#define AGAIN\n#include "k.cu"\n#else\n#define SEEN 1\n#endif\n#ifndef SEEN\n#define SEEN 2\n'
        '#endif\n#ifndef KERNEL\n#define KERNEL\nextern "C" __global__ void k(int* x) { *x = SEEN; }\n#endif\n'
    )
    here, there = places(folder)
    there = dataclasses.replace(there, source="src/other.cu")
    (there.working_directory / "src/k.cu").write_text("#define SEEN 3\n")
    for place in (here, there):
        assert_equal(*asked(kiln, reference, place, text), note=place.source)


def test_blanks_behind_an_include_directory_are_no_part_of_its_name(kiln, reference, work):
    text = '#include <v.h>\nextern "C" __global__ void k(int* x) { *x = V; }\n'
    for value, directory in enumerate(["first", "second"]):
        (work / directory).mkdir()
        (work / directory / "v.h").write_text(f"#define V {value}\n")
    (work / "empty").mkdir()
    for includes in (["first "], ["second"], ["second\t\n"], ["empty ", "first"], ["second"]):
        assert_equal(*asked(kiln, reference, Place(work, "k.cu", includes), text), note=str(includes))
    asked(kiln, reference, Place(work, "k.cu", ["empty "]), text, status=1)
    reply, got, expected = asked(kiln, reference, Place(work, "k.cu", ["second"]), text)
    assert reply["outcome"] == "hit"
    assert_equal(reply, got, expected)


def test_a_virtual_environment_that_moved_hits_and_compiles_its_own_where_a_header_asks_for_its_name(
    kiln, reference, folder, work
):
    headers = {"plain.h": "#define PLAIN 2\n", "named.h": '#define NAMED (sizeof(__FILE__))\n'}
    environments = [folder / "venv", folder / "moved/to/another/venv"]
    for environment in environments:
        include = environment / "lib/python3/site-packages/p/include"
        include.mkdir(parents=True)
        for name, content in headers.items():
            (include / name).write_text(content)
    sources = {
        "plain.cu": ('#include <plain.h>\n__global__ void k(int* x) { *x = PLAIN; }\n', "hit"),
        "named.cu": ('#include <named.h>\n__global__ void k(int* x) { *x = NAMED; }\n', "miss"),
    }
    for name, (text, expected) in sources.items():
        outcomes = []
        for environment in environments:
            place = Place(work, name, [str(environment / "lib/python3/site-packages/p/include")])
            reply, got, direct = asked(kiln, reference, place, text)
            assert_equal(reply, got, direct)
            outcomes.append(reply["outcome"])
        assert outcomes == ["miss", expected]


def test_an_environment_beside_the_source_that_moved_away_hits_unless_the_source_leads_there(kiln, reference, folder, work):
    """The source's directory holds the include directory, until it does not: `"venv/v.h"` is then another file, or none."""
    beside, moved = folder / "project/.venv/include", folder / "opt/venv/include"
    for include in (beside, moved):
        (include / "part").mkdir(parents=True)
        (include / "v.h").write_text('#include "part/w.h"\n')
        (include / "part/w.h").write_text("#define V 2\n")
        (include / "warns.h").write_text("#warning of this place\n")
    project = beside.parent.parent
    found = '#include <v.h>\n__global__ void k(int* x) { *x = V; }\n'
    cases = [("found.cu", found, "hit"), ("warned.cu", "#include <warns.h>\n" + found, "hit")]
    # As NVRTC takes them, all one file.
    for number, way in enumerate((".venv/", "./.venv/", ".venv//", "other/../.venv/", ".\\\n\\\nvenv/", "\\\n.venv/")):
        led = f'#if __has_include("{way}include/part/w.h")\n#define W 1\n#else\n#define W 2\n#endif\n'
        cases.append((f"led{number}.cu", led + found.replace("V;", "V + W;"), "miss"))
    (project / "other").mkdir()
    for name, text, expected in cases:
        first = asked(kiln, reference, Place(project, str(project / name), [str(beside)]), text)
        assert_equal(*first)
        (project / ".venv").rename(project / "gone")
        second = asked(kiln, reference, Place(project, str(project / name), [str(moved)]), text)
        (project / "gone").rename(project / ".venv")
        assert_equal(*second)
        assert (first[0]["outcome"], second[0]["outcome"]) == ("miss", expected)


class Temporary:
    """Compiles as CuPy does: each time from a new directory below the temporary one, under a name nobody gave before."""

    def __init__(self, bin, daemon, folder):
        (folder / "work").mkdir()
        self.kiln = Kiln(bin, daemon.socket, folder / "work")
        self.root = folder / "tmp"
        self.root.mkdir()
        self.count = 0

    def compile(self, text, *arguments, header="", status=0):
        self.count += 1
        directory = self.root / f"tmp{random.Random(self.count).getrandbits(40):x}"
        directory.mkdir()
        source = directory / f"{self.count:x}.cu"
        source.write_text(text)
        if header:
            (directory / "v.h").write_text(header)
        environment = self.kiln.environment | {"TMPDIR": str(self.root)}
        output = self.root.parent / f"{self.count}.cubin"
        reply = self.kiln.compile(source, "-o", output, *arguments, status=status, env=environment)
        return reply, str(source), output.read_bytes() if status == 0 else b""


@pytest.fixture
def temporary(bin, daemon, folder):
    return Temporary(bin, daemon, folder)


@pytest.mark.parametrize("options", [[], ["-lineinfo"], ["-G"], ["-rdc=true"]], ids=lambda options: str(options))
def test_random_names_below_the_temporary_directory_hit(temporary, options):
    miss, source, compiled = temporary.compile(SAXPY, "--", *options)
    hit, other, cached = temporary.compile(SAXPY, "--", *options)
    assert (miss["outcome"], hit["outcome"]) == ("miss", "hit")
    assert compiled == cached
    for name in (source, other):
        assert name.encode() not in compiled


def test_a_source_of_templates_alone_hits_under_random_names_and_other_working_directories(temporary):
    outcomes = []
    for directory in ("work", "elsewhere", "work"):
        temporary.kiln.folder = temporary.root.parent / directory
        temporary.kiln.folder.mkdir(exist_ok=True)
        outcomes.append(temporary.compile(TEMPLATE, "--name-expression", "k<3>")[0]["outcome"])
    assert outcomes == ["miss", "hit", "hit"]


def test_a_source_that_asks_for_its_name_hits_under_a_random_one(temporary):
    text = '__device__ const char name[] = __FILE__;\n__global__ void k(char* x) { *x = name[threadIdx.x]; }\n'
    assert temporary.compile(text)[0]["outcome"] == "miss"
    reply, _, cubin = temporary.compile(text)
    assert reply["outcome"] == "hit"
    assert b"/kiln-source/" in cubin


def test_headers_beside_a_source_with_a_random_name_are_found_and_count(temporary):
    text = '#include "v.h"\n__global__ void k(int* x) { *x = V; }\n'
    assert temporary.compile(text, header="#define V 1\n")[0]["outcome"] == "miss"
    assert temporary.compile(text, header="#define V 1\n")[0]["outcome"] == "hit"
    assert temporary.compile(text, header="#define V 2\n")[0]["outcome"] == "miss"
    reply, _, _ = temporary.compile(text, header="#define V 2\n")
    assert reply["outcome"] == "hit"
    assert ("<source>/v.h", "file") in {(item["path"], item["kind"]) for item in reply["dependencies"]}


def test_logs_and_messages_show_random_names_as_the_asker_has_them(temporary):
    for _ in range(2):
        reply, source, _ = temporary.compile(WARNING)
        assert reply["log"].startswith(f"{source}(2): warning")
        reply, source, _ = temporary.compile(ERROR, status=1)
        assert reply["log"].startswith(f"{source}(2): error")
        assert reply["log"].rstrip().endswith(f'"{source}".')
        assert f"'{source}'" in reply["failure"]["message"]
        assert "kiln-source" not in str(reply)


def test_a_file_that_is_denied_beside_a_random_name_is_told_by_its_real_path(temporary):
    (temporary.root / "private.h").write_text("secret")
    reply, source, _ = temporary.compile('#include "../private.h"\n', status=4)
    assert reply["failure"]["kind"] == "file_unavailable"
    assert "kiln-source" not in reply["failure"]["message"]
    assert f"{os.path.dirname(source)}/../private.h" in reply["failure"]["message"]


class Generator:
    """Sources, headers and options at random, and two ways to lay them out and call them."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self):
        return self.random.random() < 0.5

    def name(self):
        return "".join(self.random.choice("abcxyz_ -.") for _ in range(self.random.randint(1, 8))).strip(" -.") or "n"

    def header(self, number):
        lines = ["#pragma once"] if self.chance() else []
        if self.chance():
            lines.append(f"inline __device__ int lost{number}() {{ int unused{number}; return {number}; }}")
        if self.random.random() < 0.2:
            lines.append(f"#define NAME{number} __FILE__")
        lines.append(f"#define H{number} {self.random.randint(1, 9)}")
        return "\n".join(lines) + "\n"

    def source(self, headers, beside):
        lines = [f"#include <{name}>" for name in headers] + [f'#include "{name}"' for name in beside]
        self.random.shuffle(lines)
        if self.chance():
            lines.append("namespace { __device__ int hidden; }")
        if self.chance():
            lines.append("static __device__ float table[4];")
        if self.random.random() < 0.2:
            lines.append("__device__ const char file[] = __FILE__;")
        body = ["int unused;"] if self.chance() else []
        body += [f"*x += H{number};" for number in range(len(headers) + len(beside))]
        if self.random.random() < 0.1:
            body.append("assert(*x);")
        if self.random.random() < 0.2:
            body.append("*x = nothing_of_that_name;")
        self.expressions = ["k<3>"] if self.random.random() < 0.3 else []
        kernel = "template <int N> __global__ void k" if self.expressions else 'extern "C" __global__ void k'
        lines.append(kernel + "(int* x) { " + " ".join(body) + " }")
        return "\n".join(lines) + "\n"

    def options(self):
        chosen = [option for option in ("-lineinfo", "-rdc=true", "--use_fast_math", "-DX=1") if self.random.random() < 0.2]
        return chosen + (["-G"] if self.random.random() < 0.1 else [])

    def outputs(self):
        return self.random.choice([("cubin",), ("cubin",), ("ptx",), ("cubin", "ptx"), ("ltoir",)])

    def place(self, folder, label, headers, beside):
        working_directory = folder / label / self.name()
        include = self.random.choice(["include", "./in/clude", "inc//", str(working_directory / self.name() / "h")])
        source = self.random.choice(["k.cu", f"{self.name()}/{self.name()}.cu", str(working_directory / "s" / "k.cu")])
        for base, files in ((working_directory / include, headers), ((working_directory / source).parent, beside)):
            for name, content in files.items():
                (base / name).parent.mkdir(parents=True, exist_ok=True)
                (base / name).write_text(content)
        return Place(working_directory, source, [include])


@pytest.mark.toolchains("13.0", "12.9")
@pytest.mark.parametrize("version", ["13.0", "12.9"])
def test_whatever_things_are_called_kiln_answers_what_a_fresh_compile_gives(kiln, reference, folder, version):
    outcomes = []
    for seed in range(20):
        generator = Generator(seed)
        headers = {f"h{n}.h": generator.header(n) for n in range(generator.random.randint(0, 2))}
        beside = {f"sub/b{n}.h": generator.header(n) for n in range(len(headers), len(headers) + 1)}
        text = generator.source(headers, beside)
        options, outputs = generator.options(), generator.outputs()
        options = ["-dlto"] if "ltoir" in outputs else options
        status = 1 if "nothing_of_that_name" in text else 0
        for label in ("first", "second"):
            place = generator.place(folder / f"seed{seed}", label, headers, beside)
            reply, got, expected = asked(
                kiln, reference, place, text, options, outputs, version, status, generator.expressions
            )
            assert_equal(reply, got, expected, note=f"seed {seed}, {label}: {place}")
            outcomes.append((label, reply["outcome"]))
    assert ("first", "hit") not in outcomes
    assert ("second", "hit") in outcomes and ("second", "miss") in outcomes
