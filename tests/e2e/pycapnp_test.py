"""A client in another language speaks the public schema: pycapnp, which takes no descriptors."""

import asyncio
import hashlib
import os
import pathlib

import capnp
import xxhash

SCHEMA = pathlib.Path(__file__).parents[2] / "rpc" / "schema" / "kiln.capnp"
CXX_IMPORTS = pathlib.Path(os.environ["KILN_TEST_CAPNP_IMPORTS"])  # holds capnp/c++.capnp

capnp.remove_import_hook()
schema = capnp.load(str(SCHEMA), imports=[str(CXX_IMPORTS)])

SOURCE = b'#include "scale.h"\nextern "C" __global__ void scale(float* x) { x[threadIdx.x] *= SCALE; }\n'
# More than 64 KiB of machine code, so that a client that takes descriptors would get one.
LARGE_SOURCE = (
    b"#define T(n) extern \"C\" __global__ void k##n(float* x) { x[threadIdx.x] += n * x[n]; }\n"
    b"#define R(n) T(n##0) T(n##1) T(n##2) T(n##3) T(n##4) T(n##5) T(n##6) T(n##7)\n"
    b"R(1) R(2) R(3) R(4) R(5) R(6) R(7) R(8) R(9) R(10) R(11) R(12)\n"
)


class DictionaryFiles(schema.FileSource.Server):
    """Files that exist in this dictionary only, not on any disk."""

    def __init__(self, files):
        self.files = files
        self.asked = []

    def fill(self, answer, path):
        if path in self.files:
            answer.identity = hash(path) & 0xFFFFFFFF
            answer.size = len(self.files[path])
            answer.file = self.files[path]
        elif any(name.startswith(path.rstrip("/") + "/") for name in self.files):
            answer.identity = hash(path) & 0xFFFFFFFF
            answer.directory = None
        else:
            answer.absent = path

    async def look_context(self, context):
        paths = list(context.params.paths)
        self.asked += paths
        answers = context.results.init("answers", len(paths))
        for answer, path in zip(answers, paths):
            self.fill(answer, path)

    async def digests_context(self, context):
        questions = context.params.paths
        digests = context.results.init("digests", len(questions))
        for digest, question in zip(digests, questions):
            if question.path in self.files:
                content = self.files[question.path]
                digest.kind = 2
                digest.size = len(content)
                digest.xxh3 = xxhash.xxh3_128_digest(content)
                digest.identity = hash(question.path) & 0xFFFFFFFF
            elif any(name.startswith(question.path.rstrip("/") + "/") for name in self.files):
                digest.kind = 3
            else:
                digest.kind = 1


async def connect(socket):
    stream = await capnp.AsyncIoStream.create_unix_connection(str(socket))
    client = capnp.TwoPartyClient(stream)
    kiln = client.bootstrap().cast_as(schema.Kiln)
    info = {"protocolVersion": schema.protocolVersion, "requestHashVersion": 0, "name": "pycapnp test"}
    connected = await kiln.connect(client=info)
    return client, connected.session


def request(source, name):
    return {
        "language": 1,
        "target": "sm_90",
        "source": source,
        "names": {"source": name, "workingDirectory": "/virtual", "includeDirectories": ["/virtual/include"]},
        "outputs": [1],
    }


def run(coroutine):
    return asyncio.run(capnp.run(coroutine))


def test_pycapnp_compiles_through_files_that_only_it_has(daemon):
    async def scenario():
        client, session = await connect(daemon.socket)
        files = DictionaryFiles({"/virtual/include/scale.h": b"#define SCALE 3.0f\n"})
        first = (await session.compile(request=request(SOURCE, "scale.cu"), hash=b"", files=files)).outcome
        second = (await session.compile(request=request(SOURCE, "scale.cu"), hash=b"", files=files)).outcome
        return first.as_builder(), second.as_builder(), files.asked

    first, second, asked = run(scenario())
    assert first.which() == "artifact", first.failure
    assert (str(first.how), str(second.how)) == ("miss", "hit")
    output = first.artifact.outputs[0]
    assert output.inline[:4] == b"\x7fELF"
    assert hashlib.sha256(output.inline).digest() == output.sha256
    assert second.artifact.outputs[0].inline == output.inline
    assert "/virtual/include/scale.h" in asked


def test_a_client_that_takes_no_descriptors_gets_large_binaries_inline(daemon):
    async def scenario():
        client, session = await connect(daemon.socket)
        files = DictionaryFiles({})
        reply = await session.compile(request=request(LARGE_SOURCE, "large.cu"), hash=b"", files=files)
        return reply.outcome.as_builder()

    outcome = run(scenario())
    assert outcome.which() == "artifact", outcome.failure
    output = outcome.artifact.outputs[0]
    assert output.which() == "inline"
    assert len(output.inline) == output.size > 64 * 1024


def test_a_hash_that_is_not_the_request_s_is_refused(daemon):
    async def scenario():
        client, session = await connect(daemon.socket)
        reply = await session.compile(
            request=request(SOURCE, "scale.cu"), hash=b"\x01" * 16, files=DictionaryFiles({})
        )
        return reply.outcome.as_builder()

    outcome = run(scenario())
    assert outcome.which() == "failure"
    assert outcome.failure.kind == 2
    assert "hash" in outcome.failure.message


def test_a_client_of_another_protocol_version_is_told_both_versions(daemon):
    async def scenario():
        stream = await capnp.AsyncIoStream.create_unix_connection(str(daemon.socket))
        kiln = capnp.TwoPartyClient(stream).bootstrap().cast_as(schema.Kiln)
        try:
            await kiln.connect(client={"protocolVersion": 9999, "requestHashVersion": 0, "name": "from the future"})
        except capnp.KjException as error:
            return str(error)
        return ""

    message = run(scenario())
    assert "9999" in message and str(schema.protocolVersion) in message
