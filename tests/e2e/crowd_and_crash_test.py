"""Compiles that take too long, and processes that are killed."""

import contextlib
import json
import os
import signal

import pytest

from harness import DEADLINE, Exits, children, compiling, wait_for
from kernels import SAXPY, SLOW


@pytest.fixture
def slow(work):
    (work / "slow.cu").write_text(SLOW)
    return "slow.cu"


@pytest.fixture
def saxpy(work):
    (work / "saxpy.cu").write_text(SAXPY)
    return "saxpy.cu"


def finished(process):
    """What a kiln printed as JSON, and its status."""
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert stdout, stderr
    return json.loads(stdout), process.returncode


def test_a_compile_that_takes_too_long_is_a_failure_that_is_not_remembered(kiln, slow):
    for _ in range(2):
        reply = kiln.compile(slow, "--timeout", "0.2", status=5)
        assert (reply["failure"]["kind"], reply["outcome"]) == ("timeout", "miss")
        assert reply["not_remembered"]
    assert kiln.json("stats")["entries"] == 0


def test_zygotes_that_are_killed_are_started_again(kiln, daemon, saxpy):
    kiln.compile(saxpy)
    exits = Exits(children(daemon.process_id))
    for process_id in exits.pidfds:
        with contextlib.suppress(ProcessLookupError):  # kilnd itself ends the child that a killed zygote kept
            os.kill(process_id, signal.SIGKILL)
    exits.wait()
    assert kiln.compile(saxpy, "-D", "N=1")["outcome"] == "miss"


def test_after_sigkill_under_load_what_was_acknowledged_is_served(kiln, daemon, slow, saxpy):
    acknowledged = [kiln.compile(saxpy, "-D", f"N={number}") for number in range(4)]
    under_way = [
        kiln.start("--json", "compile", slow, "--target", "sm_90", "-D", f"N={number}") for number in range(3)
    ]
    wait_for(lambda: compiling(kiln))
    daemon.kill()
    for process in under_way:
        reply, status = finished(process)
        assert (status, reply["failure"]["kind"]) == (3, "unreachable")

    daemon.start()
    for number, first in enumerate(acknowledged):
        again = kiln.compile(saxpy, "-D", f"N={number}")
        assert (again["outcome"], again["key"], again["outputs"]) == ("hit", first["key"], first["outputs"])
    assert kiln.compile(saxpy, "-D", "N=new")["outcome"] == "miss"
