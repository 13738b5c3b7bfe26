"""Equal requests give equal bytes wherever and whenever they are compiled, and the bytes are the library's own."""

import contextlib
import os
import signal

import pytest

from fields import ask_for, bytes_of, request_for
from harness import Exits
from matrix import case
from scripted_client import connect, run

pytestmark = pytest.mark.outputs


@case("direct call")
def test_kiln_gives_what_the_library_gives_and_a_hit_is_the_same(asker, subject, kernel):
    expected = asker.call_directly(kernel)
    assert expected.succeeded == kernel.compiles
    assert kernel.log_holds in expected.log.decode()
    for outcome in ("miss", "hit"):
        asker.ask(kernel).assert_is(outcome, expected)


@case("direct call", "plain")
def test_kiln_gives_what_the_library_gives_for_each_target(asker, subject):
    seen = set()
    for target in subject.targets:
        expected = asker.call_directly(subject.plain, target)
        asker.ask(subject.plain, target=target).assert_is("miss", expected)
        seen.add(expected.outputs[subject.output])
    assert len(seen) == len(subject.targets)


def compiled_at(daemon, subject, kernel, label, timestamp):
    """The outcome of a request that differs from others in the timestamp alone, so that it is no hit of theirs."""

    async def scenario():
        client, session = await connect(daemon.socket)
        return await ask_for(session, subject, request_for(subject, kernel, label, timestamp=timestamp))

    outcome = run(scenario())
    assert str(outcome.how) == "miss"
    return outcome


@case("twice", "plain", "warned", "broken")
def test_two_compiles_by_one_daemon_are_byte_identical(daemon, subject, label):
    for kernel in (subject.plain, subject.warned, subject.broken):
        first, second = (compiled_at(daemon, subject, kernel, label, timestamp) for timestamp in (1, 2))
        assert bytes_of(first) == bytes_of(second)
        assert first.key != second.key


def end_compilers(kiln, subject):
    """Kills the zygote of the subject's toolchain, and the child that it keeps for the next compile."""
    compilers = kiln.json("status")["compilers"]
    exits = Exits([one["process"] for one in compilers if one["toolchain"] == subject.toolchain])
    assert exits.pidfds
    for process_id in exits.pidfds:
        with contextlib.suppress(ProcessLookupError):  # kilnd itself ends the child that a killed zygote kept
            os.kill(process_id, signal.SIGKILL)
    exits.wait()


@case("two processes", "plain", "warned")
def test_compiles_by_zygotes_of_one_library_are_byte_identical(asker, daemon, subject, label):
    for kernel in (subject.plain, subject.warned):
        first = compiled_at(daemon, subject, kernel, label, 1)
        end_compilers(asker.kiln, subject)
        assert bytes_of(first) == bytes_of(compiled_at(daemon, subject, kernel, label, 2))


@case("two daemons", "plain", "warned", "broken")
def test_two_daemons_give_the_same_bytes_under_the_same_key(make_asker, other_daemon, subject):
    askers = [make_asker("here"), make_asker("there", asked=other_daemon)]
    for kernel in (subject.plain, subject.warned, subject.broken):
        first, second = (asker.ask(kernel) for asker in askers)
        assert (first.outcome, second.outcome) == ("miss", "miss")
        assert (first.key, first.outputs, first.reply["log"]) == (second.key, second.outputs, second.reply["log"])
