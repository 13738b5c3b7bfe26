"""Compiles end with who asks for them, crash, hang and grow alone, and are run once for all who ask at once."""

import json
import os
import signal

import pytest

from harness import DEADLINE, Exits, compiling, wait_for
from kernels import Kernel
from matrix import case


def finished(process):
    """What a kiln printed as JSON, and its status."""
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert stdout, stderr
    return json.loads(stdout), process.returncode


def misbehave(subject, how):
    return Kernel(how, f"misbehave: {how}\n", outputs=(subject.output,))


def behave(subject):
    return Kernel("fine", "", outputs=(subject.output,))


@pytest.fixture
def make_misbehaving(make_asker, misbehaving_daemon):
    """Makes askers of the stand-in for the subject's library."""

    def make(name):
        asker = make_asker(name, asked=misbehaving_daemon)
        asker.toolchain = f"{asker.subject.frontend} 13.99"
        return asker

    return make


@pytest.fixture
def misbehaving(make_misbehaving):
    return make_misbehaving("here")


def start_compiling(asker, kernel):
    """A kiln that waits for a compile of its own, and the processes that compile for it: one of the test before may be
    there still."""
    busy = set(compiling(asker.kiln))
    asker.lay_out(kernel)
    process = asker.start(kernel)
    return process, wait_for(lambda: set(compiling(asker.kiln)) - busy)


def end_asking(process, compilers):
    """Kills a kiln that waits for a compile; returns once the compiler process has ended too."""
    exits = Exits(compilers)
    assert exits.pidfds, "the compile ended before it could be cancelled"
    process.kill()
    process.communicate()
    exits.wait()


@case("cancellation")
def test_a_compile_that_nobody_waits_for_any_more_ends_and_leaves_no_entry(asker, subject):
    kernel = Kernel("slow", subject.slow(100))
    entries = asker.kiln.json("stats")["entries"]
    end_asking(*start_compiling(asker, kernel))
    wait_for(lambda: not compiling(asker.kiln))
    assert asker.kiln.json("stats")["entries"] == entries


@case("cancellation")
def test_a_compiler_that_hangs_ends_with_who_waits_for_it_and_not_by_its_limit(misbehaving):
    before = misbehaving.kiln.json("stats")["failures"]
    end_asking(*start_compiling(misbehaving, misbehave(misbehaving.subject, "hang")))
    assert misbehaving.kiln.json("stats")["failures"] == before


@case("concurrency")
def test_many_processes_that_ask_at_once_cause_one_compile(asker, subject):
    kernel = Kernel("slow", subject.slow(4), outputs=(subject.output,))
    compiles = asker.kiln.compiles()
    asker.lay_out(kernel)
    places = [asker.folder / f"{number}.out" for number in range(20)]
    processes = [asker.start(kernel, "--output", f"{subject.output}={place}") for place in places]
    answers = [finished(process) for process in processes]
    assert [status for _, status in answers] == [0] * len(places)
    outcomes = [reply["outcome"] for reply, _ in answers]
    assert outcomes.count("miss") == 1 and "joined" in outcomes
    assert asker.kiln.compiles() == compiles + 1
    assert len({reply["key"] for reply, _ in answers}) == 1
    expected = asker.call_directly(kernel).outputs[subject.output]
    assert {place.read_bytes() for place in places} == {expected}


@case("concurrency", "plain", "variant")
def test_processes_that_ask_at_once_for_different_things_each_get_their_own(make_asker, subject):
    kernels = [subject.plain, subject.variant] * 4
    askers = [make_asker(f"{number}/place") for number in range(len(kernels))]
    processes = []
    for asker, kernel in zip(askers, kernels):
        asker.lay_out(kernel)
        processes.append(asker.start(kernel, "--output", f"{subject.output}={asker.folder / 'out'}"))
    answers = [finished(process) for process in processes]
    assert [status for _, status in answers] == [0] * len(kernels)
    assert [reply["outcome"] for reply, _ in answers].count("miss") == 2
    for asker, kernel in zip(askers, kernels):
        expected = asker.call_directly(kernel).outputs[subject.output]
        assert (asker.folder / "out").read_bytes() == expected


def assert_told_and_forgotten(kiln, kind, said, ask):
    """`ask` gives the replies of a misbehaving compiler; asked twice, each is told as a failure of `kind`."""
    before = kiln.json("stats")
    replies = [*ask(), *ask()]
    for reply in replies:
        assert (reply["outcome"], reply["failure"]["kind"]) == ("miss", kind)
        assert said in reply["failure"]["message"]
        assert reply["not_remembered"]
    after = kiln.json("stats")
    assert after["entries"] == before["entries"]
    assert after["compiles"] == before["compiles"] + len(replies)


@case("crash")
@pytest.mark.parametrize("how", ["crash", "segv", "exit"])
def test_a_compiler_that_crashes_fails_its_own_request_alone(misbehaving, subject, how):
    def ask():
        yield misbehaving.ask(misbehave(misbehaving.subject, how), status=5).reply

    assert_told_and_forgotten(misbehaving.kiln, "compiler_crash", subject.source, ask)
    assert misbehaving.ask(behave(misbehaving.subject)).outcome == "miss"


@case("crash", "plain")
def test_a_compiler_that_is_killed_fails_its_own_request_alone(asker, subject):
    process, compilers = start_compiling(asker, Kernel("slow", subject.slow(100)))
    for process_id in compilers:
        os.kill(process_id, signal.SIGKILL)
    reply, status = finished(process)
    assert (status, reply["failure"]["kind"]) == (5, "compiler_crash")
    assert reply["not_remembered"]
    assert asker.ask(subject.plain).outcome == "miss"


@case("hang")
def test_a_compiler_that_hangs_or_computes_for_ever_is_killed_at_the_time_limit(make_misbehaving):
    """Both at once, since each takes the limit's second."""
    askers = {how: make_misbehaving(how) for how in ("hang", "spin")}
    for how, asker in askers.items():
        asker.lay_out(misbehave(asker.subject, how))

    def ask():
        processes = [
            asker.start(misbehave(asker.subject, how), "--timeout", "1") for how, asker in askers.items()
        ]
        answers = [finished(process) for process in processes]
        assert [status for _, status in answers] == [5, 5]
        return [reply for reply, _ in answers]

    kiln = askers["hang"].kiln
    assert_told_and_forgotten(kiln, "timeout", "compile_timeout_seconds", ask)
    wait_for(lambda: not compiling(kiln))  # the reply does not wait for the end of the process


@case("memory growth")
@pytest.mark.parametrize("how,said", [("grow", "memory_limit_mb"), ("memory", "memory limit")])
def test_a_compiler_that_passes_the_memory_limit_or_is_refused_memory_is_told_so(misbehaving, how, said):
    def ask():
        yield misbehaving.ask(misbehave(misbehaving.subject, how), status=5).reply

    assert_told_and_forgotten(misbehaving.kiln, "memory_limit", said, ask)
    assert misbehaving.ask(behave(misbehaving.subject)).outcome == "miss"
