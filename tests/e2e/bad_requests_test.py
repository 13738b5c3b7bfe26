"""Whatever a client sends, it is told what to do about it, and the daemon serves on."""

import asyncio
import contextlib
import itertools
import pathlib
import random
import socket
import tempfile
import threading
import time

import capnp
import pytest

import harness
import scripted_client
from harness import DEADLINE, Kiln
from kernels import SAXPY
from scripted_client import (
    INCLUDE,
    DictionaryFiles,
    ask,
    compile_once,
    connect,
    connection,
    cubin,
    failure,
    request,
    run,
    run_lossy,
    schema,
)

PLAIN = SAXPY.encode()
SCALES = b'#include "scale.h"\nextern "C" __global__ void k(float* x) { x[threadIdx.x] *= SCALE; }\n'
HEADER = f"{INCLUDE}/scale.h"
NUMBERS = itertools.count()


def scale(value):
    return b"#define SCALE %d.0f\n" % value


@pytest.fixture(scope="module")
def daemon(bin):
    """One kilnd for all of this: whatever one test does to it, the others find it at work."""
    with tempfile.TemporaryDirectory(prefix="kiln-") as folder:
        daemon = harness.Daemon(bin, pathlib.Path(folder))
        daemon.start()
        yield daemon
        daemon.end()


@pytest.fixture
def scales(request):
    """A source that includes scale.h, of this test alone."""
    return SCALES + f"// {request.node.name!r}\n".encode()


@pytest.fixture
def serves_on(daemon):
    """Checks that the daemon is still the one that was started, and that it compiles and hits."""
    process = daemon.process_id

    def serves_on():
        source = PLAIN + b"// %d\n" % next(NUMBERS)
        replies = [compile_once(daemon, DictionaryFiles({}), source) for _ in range(2)]
        assert [cubin(reply)[0] for reply in replies] == ["miss", "hit"]
        assert daemon.process.poll() is None and daemon.process_id == process

    yield serves_on
    serves_on()


# Sources that are no kernels.


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\n\n",
        random.Random(1).randbytes(20_000).replace(b"\0", b""),
        b'// \xff\xfe\nextern "C" __global__ void k(int* x) { *x = sizeof("\xe9\xff"); }\n',
        b"\xef\xbb\xbf" + PLAIN,
        b"// " + b"x" * 1_000_000 + b"\n" + PLAIN,
        PLAIN.rstrip(b"\n"),
    ],
    ids=["empty", "blank", "binary", "latin_1", "byte_order_mark", "a_line_of_a_megabyte", "no_last_newline"],
)
def test_an_odd_source_gets_what_the_compiler_gives(kiln, reference, serves_on, work, source):
    (work / "k.cu").write_bytes(source)
    direct = reference.compile("13.0", "k.cu", ["-arch=sm_90"])
    for how in ("miss", "hit"):
        result = kiln.run("compile", "k.cu", "--target", "sm_90", "-o", "k.cubin")
        assert result.returncode == (0 if direct.succeeded else 1)
        assert direct.log in result.stderr
        assert kiln.compile("k.cu", status=result.returncode)["outcome"] == "hit"
        if direct.succeeded:
            assert (work / "k.cubin").read_bytes() == direct.outputs["cubin"]


def test_a_source_with_a_nul_is_refused_before_the_compiler_sees_half_of_it(kiln, serves_on, work):
    (work / "k.cu").write_bytes(PLAIN + b"\0 and more")
    (work / "v.h").write_bytes(b"#define V 1\0")
    for arguments in (("k.cu",), ("-", "--header", "v.h=v.h")):
        reply = kiln.compile(*arguments, status=4, input=PLAIN)
        assert reply["failure"]["kind"] == "invalid_request"
        assert "NUL" in reply["failure"]["message"] and "remove it" in reply["failure"]["message"]


def test_a_source_over_the_limit_is_refused_with_the_limit_and_its_key(make_daemon, bin, work):
    daemon = make_daemon(toolchains=("13.0",), config="max_source_mb = 1")
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    (work / "most.cu").write_bytes(PLAIN + b"/" * ((1 << 20) - len(PLAIN)))
    (work / "over.cu").write_bytes(PLAIN + b"/" * ((1 << 20) - len(PLAIN) + 1))
    (work / "v.h").write_text(" ")
    assert kiln.compile("most.cu")["outcome"] == "miss"
    for arguments in (("over.cu",), ("most.cu", "--header", "v.h=v.h"), ("most.cu", "--", "-DX")):
        refused = kiln.compile(*arguments, status=4)
        assert refused["failure"]["kind"] == "invalid_request"
        assert arguments[0] in refused["failure"]["message"] and "max_source_mb" in refused["failure"]["message"]
    assert kiln.compile("most.cu")["outcome"] == "hit"


def test_a_message_far_over_the_limit_breaks_its_own_connection_alone(make_daemon, bin, work):
    daemon = make_daemon(toolchains=("13.0",), config="max_source_mb = 1")
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    (work / "huge.cu").write_bytes(b"/" * (300 << 20))
    (work / "k.cu").write_bytes(PLAIN)
    result = kiln.run("compile", "huge.cu", "--target", "sm_90")
    assert result.returncode == 3
    assert b"max_source_mb" in result.stderr
    assert [kiln.compile("k.cu")["outcome"] for _ in range(2)] == ["miss", "hit"]


# Requests that name what is not there.


@pytest.mark.parametrize(
    "changes,kind,said",
    [
        ({"language": 77}, "invalid_request", "language 77"),
        ({"language": 0}, "invalid_request", "language 0"),
        ({"target": "sm_9000"}, "unsupported_target", "sm_90"),
        ({"target": "gfx942"}, "unsupported_target", "sm_90"),
        ({"target": ""}, "unsupported_target", "sm_90"),
        ({"target": "sm_90\0"}, "unsupported_target", "sm_90"),
        ({"options": ["--no-such-option"]}, "invalid_request", "option"),
        ({"options": ["-arch=sm_80"]}, "invalid_request", "target"),
        ({"options": ["-I", "/etc"]}, "invalid_request", "include directories"),
        ({"options": ["--pch"]}, "invalid_request", "--pch"),
        ({"options": ["\0"]}, "invalid_request", "NUL"),
        ({"names": {"source": "k.cu", "workingDirectory": "/a\0b"}}, "invalid_request", "NUL"),
        ({"toolchain": "nvrtc 99.9"}, "toolchain_unavailable", "nvrtc 13.0"),
        ({"toolchain": "gcc"}, "toolchain_unavailable", "gcc"),
        ({"outputs": [42]}, "invalid_request", "42"),
        ({"outputs": [3], "target": "sm_90", "options": ["-dlto=yes"]}, "invalid_request", ""),
        ({"headers": [{"name": "", "content": b""}]}, "invalid_request", "no name"),
        ({"headers": [{"name": "a.h", "content": b""}] * 2}, "invalid_request", "a.h"),
        ({"names": {"source": "k.cu", "workingDirectory": ""}}, "invalid_request", "absolute"),
        ({"names": {"source": "k.cu", "workingDirectory": "../x"}}, "invalid_request", "absolute"),
    ],
    ids=str,
)
def test_a_request_that_cannot_be_served_is_refused_by_name(daemon, serves_on, changes, kind, said):
    told, message = failure(compile_once(daemon, DictionaryFiles({}), PLAIN, **changes))
    assert told == kind
    assert said in message


def test_a_request_of_too_many_directories_is_refused(daemon, serves_on):
    names = {"source": "k.cu", "workingDirectory": "/", "includeDirectories": ["x"] * 1001}
    kind, message = failure(compile_once(daemon, DictionaryFiles({}), PLAIN, names=names))
    assert (kind, "at most 1000" in message) == ("invalid_request", True), message

    async def look_up():
        opened, session = await connect(daemon.socket)
        return (await session.lookup(hash=bytes(16), names=names)).result.failure.message

    assert run(look_up()) == message


def test_an_option_without_its_value_is_the_compiler_s_own_error(kiln, reference, serves_on, work):
    (work / "k.cu").write_bytes(PLAIN)
    for option in ("-D", "-U", "-Xptxas"):
        direct = reference.compile("13.0", "k.cu", ["-arch=sm_90", option])
        reply = kiln.compile("k.cu", "--", option, status=0 if direct.succeeded else 1)
        assert "no-cache" not in reply["log"]
        assert reply["log"] == direct.log.rstrip(b"\0").decode()


def test_a_log_of_many_lines_keeps_nobody_waiting(kiln, serves_on, work):
    lines = 20_000
    for name, outcome in (("a.cu", "miss"), ("b.cu", "hit")):
        (work / name).write_text('extern "C" __global__ void k() {}\n' + "#warning much to say\n" * lines)
        reply = kiln.compile(name)
        assert reply["outcome"] == outcome
        assert reply["log"].count(f"{name}(") == lines


@pytest.mark.parametrize("length", [1, 15, 17, 1000])
def test_a_hash_of_the_wrong_length_is_refused(daemon, serves_on, length):
    async def scenario():
        client, session = await connect(daemon.socket)
        names = request(PLAIN)["names"]
        looked = await session.lookup(hash=b"x" * length, names=names, toolchain="", files=DictionaryFiles({}))
        asked = await session.compile(request=request(PLAIN), hash=b"x" * length, files=DictionaryFiles({}))
        return looked.result.failure.message, asked.outcome.failure.message

    for message in run(scenario()):
        assert "16" in message


def test_a_call_without_files_is_served_where_none_are_needed_and_says_so_where_they_are(daemon, serves_on, scales):
    async def scenario(source):
        client, session = await connect(daemon.socket)
        return (await session.compile(request=request(source), hash=b"")).outcome.as_builder()

    assert cubin(run(scenario(PLAIN + b"// without files\n")))[0] == "miss"
    kind, message = failure(run(scenario(scales)))
    assert kind == "file_unavailable" and "scale.h" in message


@pytest.mark.parametrize(
    "expression", ["nothing_of_that_name", "f<", "", "f<3>;int", "1 +", "f<3>\n#error no", "f<\xe9>"]
)
def test_an_invalid_name_expression_is_the_compiler_s_own_error(kiln, reference, serves_on, work, expression):
    (work / "k.cu").write_text("template <int N> __global__ void f(int* x) { *x = N; }\n")
    direct = reference.compile("13.0", "k.cu", ["-arch=sm_90"], name_expressions=(expression,))
    assert not direct.succeeded
    for outcome in ("miss", "hit"):
        reply = kiln.compile("k.cu", "--name-expression", expression, status=1)
        assert (reply["outcome"], reply["failure"]["kind"]) == (outcome, "compile_error")
        assert reply["log"] == direct.log.decode()


def test_a_name_expression_given_twice_is_lowered_once(kiln, serves_on, work):
    (work / "k.cu").write_text("template <int N> __global__ void f(int* x) { *x = N; }\n")
    for outcome in ("miss", "hit"):
        reply = kiln.compile("k.cu", "--name-expression=f<3>", "--name-expression=f<3>")
        assert reply["outcome"] == outcome
        assert reply["lowered_names"] == [{"expression": "f<3>", "lowered": "_Z1fILi3EEvPi"}]


# Many headers, and one without end.


def test_a_thousand_headers_on_disk_are_all_depended_on(kiln, reference, serves_on, work):
    (work / "include").mkdir()
    for number in range(1000):
        (work / f"include/h{number}.h").write_text(f"#define H{number} {number}\n")
    includes = "".join(f"#include <h{number}.h>\n" for number in range(1000))
    (work / "k.cu").write_text(includes + 'extern "C" __global__ void k(int* x) { *x = H0 + H999; }\n')
    expected = reference.compile("13.0", "k.cu", ["-arch=sm_90", "-Iinclude"]).outputs["cubin"]
    replies = [kiln.compile("k.cu", "-I", "include", "-o", "k.cubin") for _ in range(2)]
    assert [reply["outcome"] for reply in replies] == ["miss", "hit"]
    assert (work / "k.cubin").read_bytes() == expected
    assert len([item for item in replies[0]["dependencies"] if item["path"].startswith("<include 0>/h")]) == 1000
    (work / "include/h777.h").write_text("#define H777 0\n")
    changed = kiln.compile("k.cu", "-I", "include")
    assert changed["outcome"] == "miss" and "h777.h" in changed["reason"]


def test_a_thousand_headers_in_memory_are_all_part_of_the_request(daemon, reference, serves_on, work):
    headers = [{"name": f"h{number}.h", "content": b"#define H%d %d\n" % (number, number)} for number in range(1000)]
    includes = b"".join(b"#include <h%d.h>\n" % number for number in range(1000))
    source = includes + b'extern "C" __global__ void k(int* x) { *x = H0 + H999; }\n'
    (work / "k.cu").write_bytes(source)
    for header in headers:
        (work / header["name"]).write_bytes(header["content"])
    expected = reference.compile("13.0", "k.cu", ["-arch=sm_90", "-I."]).outputs["cubin"]
    files = DictionaryFiles({f"{INCLUDE}/h777.h": b"#error the one on disk"})
    for how in ("miss", "hit"):
        assert cubin(compile_once(daemon, files, source, headers=headers)) == (how, expected)
    headers[777] = {"name": "h777.h", "content": b"#define H777 0\n"}
    assert cubin(compile_once(daemon, files, source, headers=headers))[0] == "miss"


@pytest.mark.parametrize(
    "text", ['#include "self.h"\n', '#include "other.h"\n', '#ifndef DEEP\n#include "self.h"\n#endif\n'], ids=str.split
)
def test_a_header_that_includes_itself_is_the_compiler_s_own_error(kiln, reference, serves_on, work, text):
    (work / "k.cu").write_text('#include "self.h"\n' + SAXPY)
    (work / "self.h").write_text(text)
    (work / "other.h").write_text('#include "self.h"\n')
    direct = reference.compile("13.0", "k.cu", ["-arch=sm_90"])
    assert not direct.succeeded
    for outcome in ("miss", "hit"):
        reply = kiln.compile("k.cu", status=1)
        assert (reply["outcome"], reply["failure"]["kind"]) == (outcome, "compile_error")
        assert reply["log"] == direct.log.decode()


# Clients whose answers about files are no good.


class LyingFiles(DictionaryFiles):
    """Gives one content, and the digest of another."""

    def __init__(self, content, digested):
        super().__init__({HEADER: content})
        self.digested = digested

    def content_to_digest(self, path):
        return self.digested


def test_a_client_that_gives_other_bytes_than_it_digests_changes_nothing_for_others(daemon, serves_on, scales):
    honest = {value: DictionaryFiles({HEADER: scale(value)}) for value in (2, 3)}
    liar = LyingFiles(scale(2), digested=scale(3))
    assert cubin(compile_once(daemon, liar, scales))[0] == "miss"
    assert cubin(compile_once(daemon, liar, scales))[0] == "miss", "what it digests is not what was compiled"
    how, two = cubin(compile_once(daemon, honest[2], scales))
    assert how == "hit", "what was compiled is what it gave"
    how, three = cubin(compile_once(daemon, honest[3], scales))
    assert how == "miss" and three != two
    # Now its digests are those of an entry: it is believed for itself, and for nobody else.
    assert cubin(compile_once(daemon, liar, scales)) == ("hit", three)
    for value, content in ((2, two), (3, three)):
        assert cubin(compile_once(daemon, honest[value], scales)) == ("hit", content)


class BadDigests(DictionaryFiles):
    def __init__(self, files, how):
        super().__init__(files)
        self.how = how

    async def digests_context(self, context):
        count = len(context.params.paths)
        if self.how == "an exception":
            raise RuntimeError("no digests today")
        counts = {"none": 0, "too few": count - 1, "too many": count + 7}
        digests = context.results.init("digests", counts.get(self.how, count))
        for digest, question in zip(digests, context.params.paths):
            self.fill_digest(digest, question.path)
            if self.how == "of an unknown kind":
                digest.kind = 200
            if self.how == "of the wrong length":
                digest.xxh3 = b"short"
            if self.how == "zeros":
                digest.kind, digest.xxh3, digest.identity = 2, bytes(16), 0


@pytest.mark.parametrize(
    "how", ["an exception", "none", "too few", "too many", "of an unknown kind", "of the wrong length", "zeros"]
)
def test_digests_that_are_none_agree_with_nothing(daemon, serves_on, how, scales):
    files = {HEADER: scale(2)}
    content = cubin(compile_once(daemon, DictionaryFiles(files), scales))[1]
    assert cubin(compile_once(daemon, BadDigests(files, how), scales)) == ("miss", content)
    assert cubin(compile_once(daemon, DictionaryFiles(files), scales)) == ("hit", content)


class BreakingFiles(DictionaryFiles):
    """Breaks its own connection off at a step of the conversation."""

    def __init__(self, files, step):
        super().__init__(files)
        self.step = step
        self.connection = None
        self.reached = asyncio.Event()
        self.may_break = asyncio.Event()
        self.may_break.set()

    async def at(self, step):
        if step != self.step:
            return
        self.reached.set()
        await self.may_break.wait()
        self.connection.break_off()
        await asyncio.Event().wait()

    async def before_look(self, path):
        await self.at("first question")
        if path == HEADER:
            await self.at("a header asked for")

    async def after_look(self, path):
        if path == HEADER:
            await self.at("a header given")

    async def before_digests(self, paths):
        await self.at("digests asked for")


async def break_off_at(daemon, step, files, source):
    opened = await connection(daemon.socket)
    files.connection = opened
    if step == "nothing said":
        return opened.break_off()
    if step == "connecting":
        calling = opened.kiln.connect(client={"protocolVersion": schema.protocolVersion})
        return opened.break_off()
    session = await opened.session()
    if step == "connected":
        return opened.break_off()
    asked = asyncio.ensure_future(ask(session, files, source))
    if step == "asked":
        await asyncio.sleep(0)
        return opened.break_off()
    await asked


@pytest.mark.parametrize(
    "step",
    [
        "nothing said",
        "connecting",
        "connected",
        "asked",
        "digests asked for",
        "first question",
        "a header asked for",
        "a header given",
    ],
)
def test_a_client_that_disconnects_leaves_nothing_behind(daemon, kiln, serves_on, step, scales):
    honest = DictionaryFiles({HEADER: scale(2)})
    if step == "digests asked for":
        compile_once(daemon, honest, scales)
    files = BreakingFiles({HEADER: scale(3)}, step)

    async def scenario():
        breaking = asyncio.ensure_future(break_off_at(daemon, step, files, scales))
        await asyncio.wait([breaking, asyncio.ensure_future(files.reached.wait())], return_when="FIRST_COMPLETED")
        breaking.cancel()

    run_lossy(scenario())
    outcome = cubin(compile_once(daemon, honest, scales))[0]
    assert outcome == ("hit" if step == "digests asked for" else "miss")
    deadline = time.monotonic() + DEADLINE
    while [one for one in kiln.json("status")["compilers"] if one["role"] == "compile"]:
        assert time.monotonic() < deadline, "a compile that nobody waits for goes on"
    assert kiln.json("status")["clients"] == 1, "the one that asks"


@pytest.mark.parametrize("step", ["first question", "a header asked for", "a header given"])
def test_who_waits_for_a_compile_gets_it_though_the_one_who_began_it_disconnects(daemon, serves_on, step, scales):
    async def scenario():
        breaking = BreakingFiles({HEADER: scale(3)}, step)
        breaking.may_break.clear()
        first = asyncio.ensure_future(break_off_at(daemon, step, breaking, scales))
        await breaking.reached.wait()
        client, session = await connect(daemon.socket)
        other = asyncio.ensure_future(ask(session, DictionaryFiles({HEADER: scale(2)}), scales))
        await session.stats()
        breaking.may_break.set()
        outcome = await other
        first.cancel()
        return outcome

    content = cubin(run(scenario()))[1]
    assert cubin(compile_once(daemon, DictionaryFiles({HEADER: scale(2)}), scales)) == ("hit", content)


# Bytes that are no protocol.


def pass_on(source, target, record):
    """Until either end has gone."""
    with contextlib.suppress(ConnectionError):
        while data := source.recv(65536):
            record += data
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def recorded_conversation(daemon, path, start):
    """What a kiln sends to its kilnd, byte for byte: it is started to talk through a socket of the test's own."""
    sent = bytearray()
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as server:
        listener.bind(str(path))
        listener.listen(1)
        kiln = start(path)
        client, _ = listener.accept()
        server.connect(str(daemon.socket))
        with client:
            back = threading.Thread(target=pass_on, args=(server, client, bytearray()))
            back.start()
            pass_on(client, server, sent)
            back.join(DEADLINE)
    _, stderr = kiln.communicate(timeout=DEADLINE)
    assert kiln.returncode == 0, stderr
    return bytes(sent)


def send_and_wait(daemon, data):
    """Sends what is to be sent, and waits until the daemon has closed the connection."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(DEADLINE)
        client.connect(str(daemon.socket))
        with contextlib.suppress(ConnectionError):
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass


@pytest.fixture
def conversation(bin, daemon, folder, work, scales):
    (work / "k.cu").write_bytes(scales)
    (work / "scale.h").write_bytes(scale(2))

    def start(path):
        return Kiln(bin, path, work).start("compile", "k.cu", "--target", "sm_90")

    return recorded_conversation(daemon, folder / "between.sock", start)


def test_a_conversation_cut_off_anywhere_costs_only_its_own_connection(daemon, serves_on, conversation):
    for length in sorted({*range(0, 64), *range(64, len(conversation), 41), len(conversation)}):
        send_and_wait(daemon, conversation[:length])
    serves_on()


def test_a_conversation_with_a_bit_turned_costs_only_its_own_connection(daemon, serves_on, conversation):
    # One bit makes none of the methods that are called here into `stop`, which root may call.
    draw = random.Random(20)
    for _ in range(150):
        broken = bytearray(conversation)
        broken[draw.randrange(len(broken))] ^= 1 << draw.randrange(8)
        send_and_wait(daemon, bytes(broken))
    serves_on()


def test_random_bytes_on_the_socket_cost_only_their_own_connection(daemon, serves_on):
    draw = random.Random(4)
    for length in [1, 3, 4, 7, 8, 15, 16, 64, 255, 4096, 100_000] * 4:
        send_and_wait(daemon, draw.randbytes(length))
    for words in ([0, 0], [0, 0xFFFFFFFF], [0xFFFFFFFF, 0xFFFFFFFF], [511, 1], [0, 1 << 28]):
        send_and_wait(daemon, b"".join(word.to_bytes(4, "little") for word in words) + bytes(64))
    send_and_wait(daemon, b"GET / HTTP/1.1\r\nHost: kiln\r\n\r\n")
    serves_on()


# Clients of another version.


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    """The schema as a later version may be: with fields, methods, values and answers that this daemon does not know."""
    text = scripted_client.SCHEMA.read_text()
    for old, new in (
        ("  timestamp @8 :UInt64;", "  optimise @11 :Text;\n  timestamp @8 :UInt64;"),
        ("interactive @1; background @2;", "interactive @1; background @2; tomorrow @3;"),
        ("  stop @7 () -> ();", "  stop @7 () -> ();\n  explain @13 (hash :Data) -> (text :Text);"),
        ("    text @9 :Text;\n  }", "    text @9 :Text;\n    compressed @10 :Data;\n  }"),
        ("  takesDescriptors @3 :Bool;", "  takesDescriptors @3 :Bool;\n  locale @4 :Text;"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("later") / "kiln.capnp"
    path.write_text(text)
    # A parser of its own: the types have the same numbers as those of this version.
    return capnp.SchemaParser().load(str(path), imports=[str(scripted_client.CXX_IMPORTS)])


def test_a_client_of_a_later_schema_is_served_with_what_this_one_knows(daemon, serves_on, later):
    async def scenario():
        opened = await connection(daemon.socket)
        kiln = opened.client.bootstrap().cast_as(later.Kiln)
        info = {"protocolVersion": later.protocolVersion, "name": "from the future", "locale": "tr_TR"}
        session = (await kiln.connect(client=info)).session
        asked = await session.compile(
            request=request(PLAIN) | {"optimise": "harder"}, hash=b"", priority="tomorrow"
        )
        try:
            await session.explain(hash=b"")
        except capnp.KjException as error:
            return asked.outcome.as_builder(), str(error)

    outcome, message = run(scenario())
    assert outcome.which() == "artifact", outcome.failure
    assert "not implemented" in message.lower()


def test_an_answer_of_a_kind_that_is_not_known_yet_is_no_answer(daemon, serves_on, later, scales):
    class Files(later.FileSource.Server):
        async def look_context(self, context):
            context.results.init("answers", 1)[0].compressed = b"x"

    async def scenario():
        opened = await connection(daemon.socket)
        kiln = opened.client.bootstrap().cast_as(later.Kiln)
        session = (await kiln.connect(client={"protocolVersion": later.protocolVersion})).session
        return (await session.compile(request=request(scales), hash=b"", files=Files())).outcome.as_builder()

    kind, message = failure(run(scenario()))
    assert kind == "file_unavailable"
    assert "scale.h" in message and "does not know" in message


@pytest.mark.parametrize(
    "info,said",
    [
        ({"protocolVersion": 9999}, "9999"),
        ({"protocolVersion": 0}, "version is 0"),
        ({"requestHashVersion": 4242}, "4242"),
    ],
    ids=str,
)
def test_a_client_of_another_version_is_told_both_and_what_to_do(daemon, serves_on, info, said):
    async def scenario():
        opened = await connection(daemon.socket)
        try:
            await opened.session(**info)
        except capnp.KjException as error:
            return str(error)

    message = run(scenario())
    assert said in message and "use the libkiln of kilnd's version, or update kilnd" in message


def test_calls_that_make_no_sense_are_exceptions_and_the_session_goes_on(daemon, serves_on):
    async def scenario():
        client, session = await connect(daemon.socket)
        messages = []
        for call in (lambda: session.list(after=b"short", limit=1), lambda: session.show(key=b"x" * 17)):
            try:
                messages.append(str((await call()).found))
            except capnp.KjException as error:
                messages.append(str(error))
        return messages, await ask(session, DictionaryFiles({}), PLAIN + b"// after nonsense\n")

    messages, outcome = run(scenario())
    assert "16 bytes" in messages[0]
    assert messages[1] == "False"
    assert cubin(outcome)[0] == "miss"
