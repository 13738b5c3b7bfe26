"""A hit is right: what a compile depended on is the same in the asking client's own view, and nothing else matters.

That a touched header, and a tree that was moved with relative directories, is a hit, and that a header earlier on the
include path is a miss, stands in first_kernel_test.py too; here each result is compared with the compiler's own.
"""

import asyncio
import hashlib
import itertools
import os
import pathlib
import shutil

import pytest

from harness import Kiln
from scripted_client import INCLUDE, DictionaryFiles, ask, compile_once, connect, cubin, run

MISBEHAVING = pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parent / "misbehaving_nvrtc"
MOST_ENTRIES = 32  # of one request: kMaxEntriesPerRequest
USES_V = '#include <v.h>\nextern "C" __global__ void k(int* x) { *x = V; }\n'


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


@pytest.fixture
def compare(kiln, reference, work):
    """Compiles k.cu by kiln, holds the result against NVRTC's own, and gives kiln's reply."""

    def compare(*options, cwd=work):
        reference.folder = cwd
        direct = reference.compile("13.0", "k.cu", ["-arch=sm_90", *options])
        output = cwd / "k.cubin"
        output.unlink(missing_ok=True)
        reply = kiln.compile("k.cu", "-o", output, "--", *options, cwd=cwd, status=0 if direct.succeeded else 1)
        assert reply["log"] == direct.log.decode()
        if direct.succeeded:
            assert output.read_bytes() == direct.outputs["cubin"]
        return reply

    return compare


def outcomes(replies):
    return [reply["outcome"] for reply in replies]


def test_an_edited_header_is_a_miss_wherever_it_came_from_and_the_old_text_a_hit(compare, work):
    write(
        work,
        {
            "k.cu": '#include "beside.h"\n#define NAME <computed.h>\n#include NAME\n'
            'extern "C" __global__ void k(int* x) { *x = BESIDE + COMPUTED + NESTED + GIVEN; }\n',
            "beside.h": '#define BESIDE 1\n#if BESIDE\n#  include "deep/nested.h"\n#endif\n',
            "deep/nested.h": "#define NESTED 1\n",
            "include/computed.h": "#define COMPUTED 1\n",
            "given.h": "#define GIVEN 1\n",
        },
    )
    options = ("-Iinclude", "-include", "given.h")
    assert outcomes([compare(*options), compare(*options)]) == ["miss", "hit"]
    for header in ("beside.h", "deep/nested.h", "include/computed.h", "given.h"):
        before = (work / header).read_text()
        (work / header).write_text(before.replace(" 1\n", " 2\n"))
        edited = compare(*options)
        assert edited["outcome"] == "miss"
        assert "changed since the nearest entry was compiled" in edited["reason"]
        assert compare(*options)["outcome"] == "hit"
        (work / header).write_text(before)
        assert compare(*options)["outcome"] == "hit"


def test_switching_between_two_branches_hits_both(compare, work):
    branches = {
        "main": {"k.cu": USES_V, "include/v.h": '#include "w.h"\n#define V W\n', "include/w.h": "#define W 1\n"},
        "topic": {"k.cu": USES_V, "include/v.h": '#include "x.h"\n#define V X\n', "include/x.h": "#define X 7\n"},
    }

    def check_out(branch):
        shutil.rmtree(work / "include", ignore_errors=True)
        write(work, branches[branch])

    keys = {}
    for branch in branches:
        check_out(branch)
        reply = compare("-Iinclude")
        assert reply["outcome"] == "miss"
        keys[branch] = reply["key"]
    assert len(set(keys.values())) == 2
    for branch in ("main", "topic", "main", "topic"):
        check_out(branch)
        reply = compare("-Iinclude")
        assert (reply["outcome"], reply["key"]) == ("hit", keys[branch])

    check_out("main")
    (work / "include/w.h").write_text("#define W 2\n")
    nearest = compare("-Iinclude")  # the entry of main, although topic's was used last
    assert nearest["outcome"] == "miss"
    assert "w.h changed since the nearest entry was compiled" in nearest["reason"]


@pytest.mark.long
def test_of_a_request_s_entries_those_in_use_are_kept_and_the_least_recently_used_is_dropped(kiln, work):
    def ask(place, value):
        write(work / place, {"k.cu": USES_V, "include/v.h": f"#define V {value}\n"})
        return kiln.compile("k.cu", "-Iinclude" if place == "often" else "-I./include", cwd=work / place)["outcome"]

    others = range(1, MOST_ENTRIES)
    assert ask("often", 0) == "miss"
    assert {ask("seldom", value) for value in others} == {"miss"}
    for value in others:
        assert ask("seldom", value) == "hit"
        assert ask("often", 0) == "hit"
    assert {ask("seldom", value) for value in (MOST_ENTRIES, MOST_ENTRIES + 1)} == {"miss"}
    assert ask("often", 0) == "hit"
    assert {ask("seldom", value) for value in (1, 2)} == {"miss"}
    assert kiln.json("stats")["entries"] == MOST_ENTRIES


# Where one asker has a directory, or nothing, another has a file of that name.
FILES_FOR_DIRECTORIES = {
    "the include directory's name": ('#include "inc"\n', ["inc/v.h"], "inc", ["inc", "hdrs/v.h"], "hdrs"),
    "is there": (
        '#if __has_include("inc")\n#define W 1\n#else\n#define W 2\n#endif\n',
        *(["inc/v.h"], "inc", ["inc", "hdrs/v.h"], "hdrs"),
    ),
    "above one": (
        '#if __has_include("up")\n#define W 1\n#else\n#define W 2\n#endif\n',
        *(["up/inc/v.h"], "up/inc", ["up", "hdrs/v.h"], "hdrs"),
    ),
}


@pytest.mark.parametrize("case", FILES_FOR_DIRECTORIES.values(), ids=FILES_FOR_DIRECTORIES.keys())
def test_a_file_where_another_asker_has_a_directory_is_seen(compare, work, case):
    text, here, include_here, there, include_there = case
    content = {"inc": "#define W 3\n", "up": "#define W 4\n"}
    source = text + '#include <v.h>\n#ifndef W\n#define W 5\n#endif\n' + USES_V.replace("V;", "V + W;")
    for folder, names, include in (("here", here, include_here), ("there", there, include_there)):
        write(work / folder, {"k.cu": source} | {name: content.get(name, "#define V 1\n") for name in names})
        for _ in range(2):
            compare(f"-I{work / folder / include}", cwd=work / folder)


def test_a_header_that_vanishes_is_the_compiler_s_own_error_and_a_hit_when_it_is_back(compare, work):
    write(work, {"k.cu": USES_V, "include/v.h": "#define V 1\n"})
    assert compare("-Iinclude")["outcome"] == "miss"
    (work / "include/v.h").rename(work / "elsewhere.h")
    gone = [compare("-Iinclude"), compare("-Iinclude")]
    assert outcomes(gone) == ["miss", "hit"]
    assert gone[0]["failure"]["kind"] == "compile_error"
    assert "v.h" in gone[0]["reason"] and "disappeared" in gone[0]["reason"]
    (work / "elsewhere.h").rename(work / "include/v.h")
    assert compare("-Iinclude")["outcome"] == "hit"


@pytest.mark.parametrize("place", ["early/v.h", "v.h"])
def test_a_header_that_appears_earlier_is_a_miss(compare, work, place):
    source = '#include "v.h"\nextern "C" __global__ void k(int* x) { *x = V; }\n'
    write(work, {"k.cu": source, "late/v.h": "#define V 1\n", "early/other.h": ""})
    options = ("-Iearly", "-Ilate", "-Inot/there")
    assert outcomes([compare(*options), compare(*options)]) == ["miss", "hit"]
    write(work, {place: "#define V 2\n"})
    shadowed = compare(*options)
    assert shadowed["outcome"] == "miss"
    assert "v.h" in shadowed["reason"] and "appeared" in shadowed["reason"]
    (work / place).unlink()
    assert compare(*options)["outcome"] == "hit"


def test_a_directory_of_the_header_s_name_is_passed_over_as_the_compiler_does(compare, work):
    write(work, {"k.cu": USES_V, "early/other.h": "", "late/v.h": "#define V 1\n"})
    options = ("-Iearly", "-Ilate")
    compare(*options)
    (work / "early/v.h").mkdir()
    assert outcomes([compare(*options), compare(*options)]) == ["miss", "hit"]
    (work / "early/v.h").rmdir()
    write(work, {"early/v.h": "#define V 2\n"})
    assert compare(*options)["outcome"] == "miss"


def test_has_include_that_turns_true_is_a_miss_and_a_hit_when_it_is_false_again(compare, work):
    write(
        work,
        {
            "k.cu": "#if __has_include(<extra/tuned.h>)\n#include <extra/tuned.h>\n#else\n#define V 1\n#endif\n"
            'extern "C" __global__ void k(int* x) { *x = V; }\n',
            "include/other.h": "",
        },
    )
    assert outcomes([compare("-Iinclude"), compare("-Iinclude")]) == ["miss", "hit"]
    (work / "include/extra").mkdir()
    write(work, {"include/extra/tuned.h": "#define V 2\n"})
    assert outcomes([compare("-Iinclude"), compare("-Iinclude")]) == ["miss", "hit"]
    shutil.rmtree(work / "include/extra")
    assert compare("-Iinclude")["outcome"] == "hit"


ONCE = "#pragma once\n#ifdef SEEN\n#define TWICE 1\n#endif\n#define SEEN\n"
COUNTS = 'extern "C" __global__ void k(int* x) {\n#ifdef TWICE\n  *x = 2;\n#else\n  *x = 1;\n#endif\n}\n'


def make_second(folder, kind):
    """Makes second.h another name of first.h, or a copy of it."""
    (folder / "second.h").unlink(missing_ok=True)
    if kind == "symbolic link":
        (folder / "second.h").symlink_to("first.h")
    elif kind == "hard link":
        os.link(folder / "first.h", folder / "second.h")
    else:
        shutil.copy(folder / "first.h", folder / "second.h")


def test_pragma_once_tells_links_from_copies_as_the_compiler_does(compare, work):
    write(work, {"k.cu": '#include "first.h"\n#include "second.h"\n' + COUNTS, "first.h": ONCE})
    replies = {}
    for kind in ("symbolic link", "copy", "hard link"):
        make_second(work, kind)
        replies[kind] = compare()
    assert replies["copy"]["outcome"] == "miss"
    assert "second.h is no longer one file with" in replies["copy"]["reason"]
    assert replies["copy"]["key"] != replies["symbolic link"]["key"]
    # Both kinds of link are one file twice; that is all that the compiler can tell.
    assert (replies["hard link"]["outcome"], replies["hard link"]["key"]) == ("hit", replies["symbolic link"]["key"])
    for before, after in itertools.permutations(replies, 2):
        for kind in (before, after):
            make_second(work, kind)
            assert compare()["outcome"] == "hit"


@pytest.mark.parametrize(
    "second",
    ['"sub/../first.h"', '"./first.h"', "<first.h>", '"sub/first.h"', "<again/first.h>"],
)
def test_one_header_by_two_names_is_what_the_compiler_makes_of_it(compare, work, second):
    write(work, {"k.cu": f'#include "first.h"\n#include {second}\n' + COUNTS, "first.h": ONCE, "sub/other.h": ""})
    (work / "sub/first.h").symlink_to("../first.h")
    (work / "include").mkdir()
    (work / "include/again").symlink_to(work, target_is_directory=True)
    replies = [compare("-I.", "-Iinclude"), compare("-I.", "-Iinclude")]
    assert outcomes(replies) == ["miss", "hit"]


def test_a_link_to_another_directory_is_a_miss_and_its_old_target_a_hit(compare, work):
    write(work, {"k.cu": USES_V, "release-1/v.h": "#define V 1\n", "release-2/v.h": "#define V 2\n"})

    def point_to(release):
        (work / "current").unlink(missing_ok=True)
        (work / "current").symlink_to(release, target_is_directory=True)

    seen = []
    for release in ("release-1", "release-2", "release-1", "release-2"):
        point_to(release)
        seen.append(compare("-Icurrent"))
    assert outcomes(seen) == ["miss", "miss", "hit", "hit"]


def test_a_whole_tree_is_a_hit_wherever_it_is_and_however_it_is_named(compare, work):
    write(
        work / "here",
        {
            "k.cu": '#include "near.h"\n#include <lib/far.h>\n'
            'extern "C" __global__ void k(int* x) { *x = NEAR + FAR; }\n',
            "near.h": "#define NEAR 1\n",
            "include/lib/far.h": '#pragma once\n#include "../more.h"\n',
            "include/more.h": "#define FAR 2\n",
        },
    )
    first = compare(f"-I{work}/here/include", "-Inot/there", cwd=work / "here")
    shutil.copytree(work / "here", work / "a/very/much/deeper/place")
    shutil.move(work / "here", work / "there")
    (work / "linked").symlink_to("there", target_is_directory=True)
    for place in ("there", "linked", "a/very/much/deeper/place"):
        moved = compare(f"-I{work}/{place}/include", "-Inor/there", cwd=work / place)
        assert (moved["outcome"], moved["key"]) == ("hit", first["key"])


def test_times_inodes_modes_and_owners_of_files_never_matter(compare, work):
    write(work, {"k.cu": USES_V, "include/v.h": "#define V 1\n"})
    first = compare("-Iinclude")
    header = work / "include/v.h"

    def touch():
        os.utime(header, (1, 1))

    def replace():
        shutil.copy(header, work / "new")
        before = header.stat().st_ino
        (work / "new").rename(header)
        assert header.stat().st_ino != before

    for change in (touch, replace, lambda: header.chmod(0o755), lambda: os.chown(header, 65534, 65534)):
        change()
        again = compare("-Iinclude")
        assert (again["outcome"], again["key"]) == ("hit", first["key"])


def test_environment_home_terminal_and_user_never_matter(bin, daemon, kiln, work, folder):
    write(work, {"k.cu": USES_V, "include/v.h": "#define V 1\n"})
    first = kiln.compile("k.cu", "-I", "include")
    for path in (folder, daemon.folder, work):
        path.chmod(0o755)
    daemon.socket.chmod(0o666)
    (folder / "home").mkdir()
    bare = {"KILN_SOCKET": str(daemon.socket)}
    strange = kiln.environment | {
        "HOME": str(folder / "home"),
        "LANG": "tr_TR.UTF-8",
        "TMPDIR": str(folder / "home"),
        "CPATH": str(work / "include"),
        "NVRTC_APPEND_OPTIONS": "-lineinfo",
        "CUDA_VISIBLE_DEVICES": "3",
        "SOURCE_DATE_EPOCH": "1",
        "USER": "somebody",
    }
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    for settings in ({"env": bare}, {"env": strange}, nobody, nobody | {"env": strange}):
        again = kiln.compile("k.cu", "-I", "include", **settings)
        assert (again["outcome"], again["key"]) == ("hit", first["key"])


def test_the_order_of_arrival_and_the_daemon_s_own_environment_never_matter(bin, make_daemon, work, folder):
    write(work, {"k.cu": USES_V, "1/v.h": "#define V 1\n", "2/v.h": "#define V 2\n", "3/v.h": "#define V 3\n"})
    (folder / "home").mkdir()
    variables = {"HOME": folder / "home", "LANG": "C", "CPATH": work / "1", "NVRTC_APPEND_OPTIONS": "-lineinfo"}
    seen = []
    for name, order, settings in (("one", "123", {}), ("two", "321", {"variables": variables})):
        daemon = make_daemon(name, toolchains=("13.0",), **settings)
        daemon.start()
        kiln = Kiln(bin, daemon.socket, work)
        replies = {v: kiln.compile("k.cu", "-I", v) for v in order}
        seen.append({v: (reply["key"], reply["outputs"][0]["sha256"]) for v, reply in sorted(replies.items())})
    assert seen[0] == seen[1]
    assert len(set(seen[0].values())) == 3


def test_a_toolchain_whose_bytes_changed_is_another_one(bin, make_daemon, work, folder, monkeypatch):
    library = folder / "nvrtc"
    shutil.copytree(MISBEHAVING, library)
    monkeypatch.setenv("KILN_TEST_NVRTC_13_99", str(library))
    daemon = make_daemon(toolchains=("13.99",))
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    (work / "k.cu").write_text("fine\n")
    first = kiln.compile("k.cu")
    for part in sorted(library.iterdir()):
        before = part.read_bytes()
        daemon.stop()
        part.write_bytes(before + b"\0")
        daemon.start()
        changed = kiln.compile("k.cu")
        assert changed["outcome"] == "miss" and changed["key"] != first["key"]
        assert "another build of toolchain" in changed["reason"]
        daemon.stop()
        part.write_bytes(before)
        daemon.start()
        again = kiln.compile("k.cu")
        assert (again["outcome"], again["key"]) == ("hit", first["key"])


# What a client's view holds at the moment of asking: a client of the test's own, so that the moment can be chosen.

SCALES = b'#include "scale.h"\nextern "C" __global__ void k(float* x) { x[threadIdx.x] *= SCALE; }\n'
HEADER = f"{INCLUDE}/scale.h"


def scale(value):
    return b"#define SCALE %d.0f\n" % value


@pytest.fixture
def direct(reference, work):
    """What NVRTC itself makes of SCALES with one content of the header."""

    def direct(content):
        (work / "k.cu").write_bytes(SCALES)
        (work / "scale.h").write_bytes(content)
        return reference.compile("13.0", "k.cu", ["-arch=sm_90"]).outputs["cubin"]

    return direct


class SwappingFiles(DictionaryFiles):
    """Its header turns into another while the daemon asks for it."""

    def __init__(self, before, after, moment):
        super().__init__({HEADER: before})
        self.after = after
        self.moment = moment

    async def swap(self, path, moment):
        if path == HEADER and moment == self.moment:
            self.files[HEADER] = self.after

    async def before_look(self, path):
        await self.swap(path, "before it is read")

    async def after_look(self, path):
        await self.swap(path, "after it was read")


@pytest.mark.parametrize("moment,read", [("before it is read", 3), ("after it was read", 2)])
def test_a_header_changed_during_the_compile_is_published_under_what_was_read_alone(daemon, direct, moment, read):
    swapped = compile_once(daemon, SwappingFiles(scale(2), scale(3), moment), SCALES)
    assert cubin(swapped) == ("miss", direct(scale(read)))
    (dependency,) = [item for item in swapped.dependencies if item.path == "scale.h" and item.kind == 2]
    assert dependency.sha256 == hashlib.sha256(scale(read)).digest()
    for value in (2, 3):
        later = compile_once(daemon, DictionaryFiles({HEADER: scale(value)}), SCALES)
        assert cubin(later) == ("hit" if value == read else "miss", direct(scale(value)))


class FlickeringFiles(DictionaryFiles):
    """One file by two names that is rewritten between the looks at them."""

    def identity(self, path):
        return 1 if path.endswith(".h") else 2

    async def after_look(self, path):
        if path == f"{INCLUDE}/a.h":
            self.files[f"{INCLUDE}/b.h"] = b"#define V 2\n"


def test_one_file_with_two_contents_in_one_compile_is_nobody_s_hit(daemon):
    source = b'#include <a.h>\n#undef V\n#include <b.h>\nextern "C" __global__ void k(int* x) { *x = V; }\n'
    one, two = (dict.fromkeys((f"{INCLUDE}/a.h", f"{INCLUDE}/b.h"), b"#define V %d\n" % value) for value in (1, 2))
    assert cubin(compile_once(daemon, FlickeringFiles(dict(one)), source))[0] == "miss"
    for content in (one, two):
        assert cubin(compile_once(daemon, DictionaryFiles(dict(content)), source))[0] == "miss"


class HeldFiles(DictionaryFiles):
    """Its header is read only when the test lets it be."""

    def __init__(self, files):
        super().__init__(files)
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def before_look(self, path):
        if path == HEADER:
            self.reached.set()
            await self.go_on.wait()


def test_clients_that_see_a_header_differently_at_once_each_get_their_own(daemon, direct):
    async def scenario():
        clients = [await connect(daemon.socket) for _ in range(6)]
        files = [HeldFiles({HEADER: scale(2 + number % 2)}) for number in range(len(clients))]
        asked = [asyncio.ensure_future(ask(session, one, SCALES)) for (_, session), one in zip(clients, files)]
        # Nobody's file is read before one compile has begun and everybody else has had time to join it: calls of
        # one connection arrive in order, and the daemon answers `stats` only after it has read its store.
        await asyncio.wait([asyncio.ensure_future(one.reached.wait()) for one in files], return_when="FIRST_COMPLETED")
        for _, session in clients:
            await session.stats()
        for one in files:
            one.go_on.set()
        return await asyncio.gather(*asked)

    found = [cubin(outcome) for outcome in run(scenario())]
    expected = [direct(scale(2)), direct(scale(3))]
    assert [content for _, content in found] == [expected[number % 2] for number in range(len(found))]
    assert [how for how, _ in found].count("miss") == 2, found


def test_clients_that_see_a_header_differently_one_after_the_other_each_get_their_own(daemon, direct):
    for value, how in ((2, "miss"), (3, "miss"), (2, "hit"), (3, "hit")):
        found = cubin(compile_once(daemon, DictionaryFiles({HEADER: scale(value)}), SCALES))
        assert found == (how, direct(scale(value)))
