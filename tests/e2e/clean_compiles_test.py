"""Only clean compiles are remembered: what something got in the way of is told as what it is, and then forgotten."""

import asyncio
import json
import os
import pathlib
import resource
import socket
import stat

import pytest

from harness import DEADLINE, Kiln, address_space, cuda_includes, limited
from kernels import BLOCK_REDUCE, SAXPY
from scripted_client import (
    INCLUDE,
    DictionaryFiles,
    ask,
    compile_once,
    connect,
    cubin,
    failure,
    run,
)

MISBEHAVING = pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parent / "misbehaving_nvrtc"
SANITIZED = "asan" in str(MISBEHAVING)

USES_V = '#include <v.h>\nextern "C" __global__ void k(int* x) { *x = V; }\n'
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}


def entries(kiln):
    return kiln.json("stats")["entries"]


@pytest.fixture
def unprivileged(bin, daemon, work, folder):
    """The command line as a user who may not read what root may."""
    for path in (folder, daemon.folder, work):
        path.chmod(0o755)
    daemon.socket.chmod(0o666)
    return Kiln(bin, daemon.socket, work)


def forbid(path):
    path.write_text("#define V 1\n")
    path.chmod(0)


def forbid_directory(path):
    path.parent.chmod(0o600)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize(
    "obstruct,said",
    [
        (forbid, "Permission denied"),
        (forbid_directory, "Permission denied"),
        (os.mkfifo, "a FIFO"),
        (make_socket, "a socket"),
        (lambda path: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5)), "a device"),
        (lambda path: path.symlink_to("/dev/zero"), "a device"),
        (lambda path: path.symlink_to(path.name), "symbolic links"),
    ],
    ids=["unreadable", "in_an_unreadable_directory", "fifo", "socket", "device", "link_to_a_device", "link_to_itself"],
)
def test_a_header_that_cannot_be_read_is_named_and_the_compile_not_remembered(
    unprivileged, reference, work, obstruct, said
):
    kiln = unprivileged
    (work / "k.cu").write_text(USES_V)
    (work / "include").mkdir()
    header = work / "include/v.h"
    obstruct(header)
    arguments = ("k.cu", "-I", "include")
    for _ in range(2):
        reply = kiln.compile(*arguments, status=4, **NOBODY)
        assert (reply["outcome"], reply["failure"]["kind"]) == ("miss", "file_unavailable")
        assert str(header) in reply["failure"]["message"] and said in reply["failure"]["message"]
        assert reply["not_remembered"]
    assert entries(kiln) == 0
    header.parent.chmod(0o755)
    header.unlink(missing_ok=True)
    header.write_text("#define V 1\n")
    replies = [kiln.compile(*arguments, "-o", work / "k.cubin") for _ in range(2)]
    assert [reply["outcome"] for reply in replies] == ["miss", "hit"]
    expected = reference.compile("13.0", "k.cu", ["-arch=sm_90", "-Iinclude"])
    assert (work / "k.cubin").read_bytes() == expected.outputs["cubin"]


def test_an_error_for_want_of_a_header_that_is_a_directory_has_the_compiler_s_log_and_is_not_remembered(
    kiln, reference, work
):
    (work / "k.cu").write_text(USES_V)
    (work / "include/v.h").mkdir(parents=True)
    direct = reference.compile("13.0", "k.cu", ["-arch=sm_90", "-Iinclude"])
    for _ in range(2):
        reply = kiln.compile("k.cu", "-I", "include", status=1)
        assert (reply["outcome"], reply["failure"]["kind"]) == ("miss", "compile_error")
        assert reply["log"] == direct.log.decode()
        assert "v.h, which is a directory" in reply["not_remembered"]
    assert entries(kiln) == 0


@pytest.fixture
def standing_in(make_daemon, bin, work):
    """A kilnd whose compiler is the stand-in that does what its source says."""
    daemon = make_daemon("standing_in", toolchains=("13.99",))
    daemon.start()
    return Kiln(bin, daemon.socket, work)


def test_memory_that_the_front_end_was_refused_is_no_compile_error(standing_in, work):
    (work / "k.cu").write_text("misbehave: error-out-of-memory\n")
    for _ in range(2):
        reply = standing_in.compile("k.cu", status=5)
        assert (reply["outcome"], reply["failure"]["kind"]) == ("miss", "memory_limit")
        assert "k.cu" in reply["failure"]["message"] and "memory limit" in reply["failure"]["message"]
        assert reply["not_remembered"]
    stats = standing_in.json("stats")
    assert (stats["entries"], stats["compiles"]) == (0, 2)


def test_nor_is_one_where_that_directory_is_one_of_the_request_s(kiln, work):
    (work / "include").mkdir()
    (work / "k.cu").write_text('#include "include"\n')
    for _ in range(2):
        reply = kiln.compile("k.cu", "-Iinclude", status=1)
        assert reply["outcome"] == "miss"
        assert "which is a directory" in reply["not_remembered"]
    (work / "k.cu").write_text("int include = no_such_name;\n")
    assert [kiln.compile("k.cu", "-Iinclude", status=1)["outcome"] for _ in range(2)] == ["miss", "hit"]


@pytest.mark.skipif(SANITIZED, reason="the sanitizer ends a process that is refused memory")
def test_memory_refused_to_the_real_compiler_is_no_compile_error(kiln, reference, work):
    """The zygote's own limit is lowered, and its children inherit it: NVRTC then reports an ordinary compile error."""
    (work / "k.cu").write_text(BLOCK_REDUCE)
    arguments = ["k.cu"] + [f"-I{directory}" for directory in cuda_includes()]
    (work / "first.cu").write_text(SAXPY)
    kiln.compile("first.cu")  # then the zygote has its library
    with limited(kiln, resource.RLIMIT_AS, address_space(kiln) + (24 << 20)):
        refused = kiln.compile(*arguments, status=5)
    assert (refused["outcome"], refused["failure"]["kind"]) == ("miss", "memory_limit")
    assert "out of memory" in refused["log"] + refused["failure"]["message"]
    assert entries(kiln) == 1
    assert kiln.compile(*arguments, "-o", "k.cubin")["outcome"] == "miss"
    expected = reference.compile("13.0", "k.cu", ["-arch=sm_90", *arguments[1:]])
    assert (work / "k.cubin").read_bytes() == expected.outputs["cubin"]


@pytest.mark.skipif(SANITIZED, reason="the sanitizer ends a process that is refused memory")
@pytest.mark.parametrize("options", [(), ("--", "-G")], ids=["plain", "debug"])
def test_memory_refused_to_any_part_of_the_compiler_is_not_remembered(kiln, work, options):
    """Front end, optimiser and ptxas run out of it one after the other as the limit grows."""
    (work / "first.cu").write_text(SAXPY)
    kiln.compile("first.cu", *options)
    size = address_space(kiln)
    refused = 0
    for margin in (0, 1, 2, 3, 4, 6, 9, 14, 20):
        (work / "k.cu").write_text(f"// {margin}\n" + SAXPY)
        with limited(kiln, resource.RLIMIT_AS, size + (margin << 20)):
            process = kiln.start("--json", "compile", "k.cu", "--target", "sm_90", *options)
            reply = json.loads(process.communicate(timeout=DEADLINE)[0])
        if "failure" in reply:
            refused += 1
            assert reply["failure"]["kind"] in ("memory_limit", "compiler_crash"), (margin, reply)
            assert kiln.compile("k.cu", *options)["outcome"] == "miss"
    assert refused > 0


def test_descriptors_refused_to_kiln_are_no_compile_error(kiln, work):
    """Then no header can be handed to the compiler, which takes it for one that it cannot open."""
    (work / "first.cu").write_text(SAXPY)
    kiln.compile("first.cu")
    for depth in range(9):
        (work / f"v{depth}.h").write_text(f'#include "v{depth + 1}.h"\n' if depth < 8 else "#define V 1\n")
    (work / "k.cu").write_text(USES_V.replace("<v.h>", '"v0.h"'))
    with limited(kiln, resource.RLIMIT_NOFILE, 7):
        refused = kiln.start("--json", "compile", "k.cu", "--target", "sm_90").communicate(timeout=DEADLINE)[0]
    assert "failure" in json.loads(refused)
    assert kiln.compile("k.cu")["outcome"] == "miss"


def test_a_source_that_only_speaks_of_memory_is_a_compile_error(kiln, work):
    (work / "k.cu").write_text("#error catastrophic error: out of memory\n")
    replies = [kiln.compile("k.cu", status=1) for _ in range(2)]
    assert [(reply["outcome"], reply["failure"]["kind"]) for reply in replies] == [
        ("miss", "compile_error"),
        ("hit", "compile_error"),
    ]


def test_a_compile_error_replays_its_log_at_the_speed_of_a_hit(kiln, daemon, reference, work):
    source = BLOCK_REDUCE.replace("float sum", "int nothing = no_such_name;\n  float sum")
    (work / "k.cu").write_text(source)
    includes = [f"-I{directory}" for directory in cuda_includes()]
    direct = reference.compile("13.0", "k.cu", ["-arch=sm_90", *includes])
    first = kiln.compile("k.cu", *includes, status=1)
    assert first["log"] == direct.log.decode()
    daemon.restart()
    replays = [kiln.compile("k.cu", *includes, status=1) for _ in range(5)]
    for reply in replays:
        assert reply["outcome"] == "hit"
        assert (reply["failure"], reply["log"]) == (first["failure"], first["log"])
    assert min(reply["total_ms"] for reply in replays) < first["compile_ms"] / 4
    stats = kiln.json("stats")
    assert (stats["compiles"], stats["hits"], stats["entries"]) == (0, 5, 1)


def test_a_compile_error_is_forgotten_as_soon_as_what_it_depends_on_changes(kiln, work):
    (work / "k.cu").write_text(USES_V)
    (work / "v.h").write_text("#define V nothing\n")
    arguments = ("k.cu", "-I", ".")
    assert kiln.compile(*arguments, status=1)["outcome"] == "miss"
    assert kiln.compile(*arguments, "-D", "nothing=1")["outcome"] == "miss"
    (work / "v.h").write_text("#define V 1\n")
    assert kiln.compile(*arguments)["outcome"] == "miss"
    (work / "v.h").write_text("#define V nothing\n")
    assert kiln.compile(*arguments, status=1)["outcome"] == "hit"


# Questions about files that fail, or are not answered: a client of the test's own.

SCALES = b'#include "scale.h"\nextern "C" __global__ void k(float* x) { x[threadIdx.x] *= SCALE; }\n'
HEADER = f"{INCLUDE}/scale.h"
CONTENT = b"#define SCALE 2.0f\n"


class FailingFiles(DictionaryFiles):
    def __init__(self, how):
        super().__init__({HEADER: CONTENT})
        self.how = how

    def fill(self, answer, path):
        if path != HEADER:
            return super().fill(answer, path)
        if self.how == "an error of its own":
            raise RuntimeError("the client had a bad day")
        if self.how == "the file system's error":
            error = answer.init("failed")
            error.number = 5
            error.message = "Input/output error"
        elif self.how == "not allowed":
            answer.denied = "it is secret"
        elif self.how == "an answer to another question":
            answer.init("listing", 1)[0] = "scale.h"
        elif self.how == "something odd":
            answer.other = "a FIFO"

    async def before_look(self, path):
        if self.how == "silence" and path == HEADER:
            await asyncio.Event().wait()


@pytest.fixture
def impatient(make_daemon):
    daemon = make_daemon("impatient", toolchains=("13.0",), config="file_timeout_seconds = 1")
    daemon.start()
    return daemon


@pytest.mark.parametrize(
    "how,said",
    [
        ("an error of its own", "bad day"),
        ("the file system's error", "Input/output error"),
        ("not allowed", "it is secret"),
        ("an answer to another question", "does not fit"),
        ("something odd", "a FIFO"),
        ("silence", "no answer within 1 s (file_timeout_seconds"),
    ],
)
def test_a_question_about_a_file_that_failed_is_told_and_the_next_asker_gets_a_compile(impatient, how, said):
    kind, message = failure(compile_once(impatient, FailingFiles(how), SCALES))
    assert kind == "file_unavailable"
    assert HEADER in message and said in message
    assert [cubin(compile_once(impatient, DictionaryFiles({HEADER: CONTENT}), SCALES))[0] for _ in range(2)] == [
        "miss",
        "hit",
    ]


def test_a_client_that_is_silent_about_digests_is_compiled_for(impatient):
    class Silent(DictionaryFiles):
        async def before_digests(self, paths):
            await asyncio.Event().wait()

    honest, silent = DictionaryFiles({HEADER: CONTENT}), Silent({HEADER: CONTENT})
    content = cubin(compile_once(impatient, honest, SCALES))[1]
    assert cubin(compile_once(impatient, silent, SCALES)) == ("miss", content)
    assert cubin(compile_once(impatient, honest, SCALES)) == ("hit", content)


@pytest.mark.parametrize(
    "config,kind",
    [("file_timeout_seconds = 1", "file_unavailable"), ("compile_timeout_seconds = 4", "timeout")],
)
def test_one_client_s_silence_is_no_failure_of_those_who_wait_for_the_same_compile(make_daemon, config, kind):
    daemon = make_daemon(toolchains=("13.0",), config=config)
    daemon.start()

    class Silent(DictionaryFiles):
        reached = asyncio.Event()

        async def before_look(self, path):
            self.reached.set()
            await asyncio.Event().wait()

    async def scenario():
        silent = Silent({HEADER: CONTENT})
        first, first_session = await connect(daemon.socket)
        second, second_session = await connect(daemon.socket)
        leader = asyncio.ensure_future(ask(first_session, silent, SCALES))
        await silent.reached.wait()
        other = asyncio.ensure_future(ask(second_session, DictionaryFiles({HEADER: CONTENT}), SCALES))
        return await leader, await other

    leader, other = run(scenario())
    told, message = failure(leader)
    assert told == kind and "/scale.h'" in message
    assert cubin(other)[0] == "miss"


def test_a_client_that_takes_its_time_keeps_nobody_else_waiting(make_daemon):
    daemon = make_daemon(toolchains=("13.0",), config="jobs = 1\nfile_timeout_seconds = 3600")
    daemon.start()

    class Slow(DictionaryFiles):
        def __init__(self, files):
            super().__init__(files)
            self.reached, self.goes_on = asyncio.Event(), asyncio.Event()

        async def before_look(self, path):
            self.reached.set()
            await self.goes_on.wait()

    async def scenario():
        slow = Slow({HEADER: CONTENT})
        first, first_session = await connect(daemon.socket)
        second, second_session = await connect(daemon.socket)
        waiting = asyncio.ensure_future(ask(first_session, slow, SCALES))
        await slow.reached.wait()
        other = await ask(second_session, DictionaryFiles({HEADER: CONTENT}), SCALES.replace(b"k(", b"other("))
        assert not waiting.done()
        slow.goes_on.set()
        return other, await waiting

    for outcome in run(scenario()):
        assert cubin(outcome)[0] == "miss"
