"""Logs are replayed as the compiler wrote them, and each failure is told as what it is."""

import dataclasses

from matrix import case


@case("log replay", "warned", "broken")
def test_a_log_is_replayed_byte_for_byte_under_the_asker_s_own_names(make_asker, subject):
    here, there = make_asker("here"), make_asker("there", f"src/other name.{subject.extension}")
    for kernel in (subject.warned, subject.broken):
        expected = here.call_directly(kernel)
        assert kernel.log_holds in expected.log.decode()
        here.ask(kernel).assert_is("miss", expected)
        here.ask(kernel).assert_is("hit", expected)
        there.ask(kernel).assert_is("hit", there.call_directly(kernel))


@case("log replay", "warned", "broken")
def test_a_log_is_replayed_by_a_daemon_that_was_started_since(asker, daemon, subject):
    first = [asker.ask(kernel) for kernel in (subject.warned, subject.broken)]
    daemon.restart()
    again = [asker.ask(kernel) for kernel in (subject.warned, subject.broken)]
    assert [answer.outcome for answer in again] == ["hit", "hit"]
    for before, after in zip(first, again):
        assert after.reply["log"] == before.reply["log"] != ""
        assert after.reply.get("failure") == before.reply.get("failure")


def assert_refused(asker, kernel, kind, said, **settings):
    """Refused before anything is compiled, and again the next time."""
    before = asker.kiln.json("stats")
    for _ in range(2):
        reply = asker.ask(kernel, status=4, **settings).reply
        assert reply["failure"]["kind"] == kind
        for text in said:
            assert text in reply["failure"]["message"]
        assert not reply.get("outputs")
    after = asker.kiln.json("stats")
    assert (after["compiles"], after["entries"]) == (before["compiles"], before["entries"])


@case("failure classes", "broken", "plain")
def test_an_error_of_the_source_is_remembered_and_forgotten_with_the_next_source(asker, subject):
    for outcome in ("miss", "hit"):
        failed = asker.ask(subject.broken)
        assert (failed.outcome, failed.reply["failure"]["kind"]) == (outcome, "compile_error")
        assert subject.source in failed.reply["failure"]["message"]
        assert "not_remembered" not in failed.reply
    assert asker.ask(subject.plain).outcome == "miss"


@case("failure classes", "plain")
def test_what_cannot_be_keyed_is_refused_by_name(asker, subject):
    kernel = dataclasses.replace(subject.plain, options=(subject.refused_option,))
    assert_refused(asker, kernel, "invalid_request", [subject.refused_option.partition("=")[0]])


@case("failure classes", "plain")
def test_a_toolchain_that_is_not_there_is_told_with_those_that_are(asker, subject):
    asker.toolchain = f"{subject.frontend} 1.0"
    assert_refused(asker, subject.plain, "toolchain_unavailable", [asker.toolchain, subject.toolchain])


@case("unknown target", "plain")
def test_an_unknown_target_is_refused_with_those_that_are_known(asker, subject):
    for target in subject.unknown_targets:
        assert_refused(asker, subject.plain, "unsupported_target", [target, subject.targets[0]], target=target)
    assert_refused(asker, subject.plain, "unsupported_target", ["potato"], target="potato")
