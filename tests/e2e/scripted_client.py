"""A client of the public schema that does what a test says: pycapnp, with files that exist in a dictionary only."""

import asyncio
import contextlib
import os
import pathlib

import capnp
import xxhash

SCHEMA = pathlib.Path(__file__).parents[2] / "rpc" / "schema" / "kiln.capnp"
CXX_IMPORTS = pathlib.Path(os.environ["KILN_TEST_CAPNP_IMPORTS"])  # holds capnp/c++.capnp

capnp.remove_import_hook()
schema = capnp.load(str(SCHEMA), imports=[str(CXX_IMPORTS)])

INCLUDE = "/virtual/include"  # the include directory of every request here
ABSENT, FILE, DIRECTORY = 1, 2, 3  # jit/dependencies.h FileKind
FAILURES = {  # jit/failure.h FailureKind
    1: "compile_error",
    2: "invalid_request",
    3: "unsupported_target",
    4: "toolchain_unavailable",
    5: "timeout",
    6: "memory_limit",
    7: "compiler_crash",
    8: "not_pinned",
    9: "overloaded",
    10: "internal",
    11: "file_unavailable",
}


class DictionaryFiles(schema.FileSource.Server):
    """Files that exist in this dictionary only, not on any disk. A test overrides what is to go wrong."""

    def __init__(self, files):
        self.files = files
        self.asked = []

    async def before_look(self, path):
        """Called when the daemon asks for `path`, before it is looked at."""

    async def after_look(self, path):
        """Called when the answer is made, before it is sent."""

    async def before_digests(self, paths):
        """Called when the daemon asks for digests."""

    def content_to_digest(self, path):
        return self.files[path]

    def identity(self, path):
        return hash(path) & 0xFFFFFFFF

    def is_directory(self, path):
        return any(name.startswith(path.rstrip("/") + "/") for name in self.files)

    def fill(self, answer, path):
        if path in self.files:
            answer.identity = self.identity(path)
            answer.size = len(self.files[path])
            answer.file = self.files[path]
        elif self.is_directory(path):
            answer.identity = self.identity(path)
            answer.directory = None
        else:
            answer.absent = path

    def fill_digest(self, digest, path):
        if path in self.files:
            content = self.content_to_digest(path)
            digest.kind = FILE
            digest.size = len(content)
            digest.xxh3 = xxhash.xxh3_128_digest(content)
            digest.identity = self.identity(path)
        else:
            digest.kind = DIRECTORY if self.is_directory(path) else ABSENT

    async def look_context(self, context):
        paths = list(context.params.paths)
        self.asked += paths
        for path in paths:
            await self.before_look(path)
        answers = context.results.init("answers", len(paths))
        for answer, path in zip(answers, paths):
            self.fill(answer, path)
        for path in paths:
            await self.after_look(path)

    async def digests_context(self, context):
        paths = [question.path for question in context.params.paths]
        await self.before_digests(paths)
        digests = context.results.init("digests", len(paths))
        for digest, path in zip(digests, paths):
            self.fill_digest(digest, path)


class Connection:
    """One client's connection, which a test may break off."""

    def __init__(self, stream, client):
        self.stream = stream
        self.client = client
        self.kiln = client.bootstrap().cast_as(schema.Kiln)

    async def session(self, **info):
        info = {"protocolVersion": schema.protocolVersion, "requestHashVersion": 0, "name": "pycapnp test"} | info
        return (await self.kiln.connect(client=info)).session

    def break_off(self):
        self.stream.close()


async def connection(socket):
    stream = await capnp.AsyncIoStream.create_unix_connection(str(socket))
    return Connection(stream, capnp.TwoPartyClient(stream))


async def connect(socket):
    """The client, which has to be kept, and its session."""
    opened = await connection(socket)
    return opened, await opened.session()


def request(source, name="k.cu", **changes):
    return {
        "language": 1,
        "target": "sm_90",
        "source": source,
        "names": {"source": name, "workingDirectory": "/virtual", "includeDirectories": [INCLUDE]},
        "outputs": [1],
    } | changes


async def ask(session, files, source, **changes):
    """The outcome of a compile, readable after the connection has gone."""
    arguments = {key: changes.pop(key) for key in ("timeoutMs", "toolchain", "priority") if key in changes}
    reply = await session.compile(request=request(source, **changes), hash=b"", files=files, **arguments)
    return reply.outcome.as_builder()


def run(coroutine):
    return asyncio.run(capnp.run(asyncio.wait_for(coroutine, 120)))


def compile_once(daemon, files, source, **changes):
    """The outcome for a client that comes, asks and goes."""

    async def scenario():
        client, session = await connect(daemon.socket)
        return await ask(session, files, source, **changes)

    return run(scenario())


def failure(outcome):
    """The name of the failure and its message; an artifact is none."""
    assert outcome.which() == "failure", "an artifact"
    return FAILURES[outcome.failure.kind], outcome.failure.message


def cubin(outcome):
    """How the client came by it, and the bytes."""
    assert outcome.which() == "artifact", outcome.failure
    return str(outcome.how), outcome.artifact.outputs[0].inline


def run_lossy(coroutine):
    """Runs what ends in a lost connection."""
    with contextlib.suppress(capnp.KjException, ConnectionError):
        return run(coroutine)
