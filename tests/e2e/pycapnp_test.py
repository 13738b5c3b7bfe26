"""A client in another language speaks the public schema: pycapnp, which takes no descriptors."""

import hashlib

import capnp

from scripted_client import DictionaryFiles, connect, request, run, schema

SOURCE = b'#include "scale.h"\nextern "C" __global__ void scale(float* x) { x[threadIdx.x] *= SCALE; }\n'
# More than 64 KiB of machine code, so that a client that takes descriptors would get one.
LARGE_SOURCE = (
    b"#define T(n) extern \"C\" __global__ void k##n(float* x) { x[threadIdx.x] += n * x[n]; }\n"
    b"#define R(n) T(n##0) T(n##1) T(n##2) T(n##3) T(n##4) T(n##5) T(n##6) T(n##7)\n"
    b"R(1) R(2) R(3) R(4) R(5) R(6) R(7) R(8) R(9) R(10) R(11) R(12)\n"
)


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
