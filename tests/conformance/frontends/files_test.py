"""What the compiler reads, and what it looks for in vain, is depended on; what it may not read is told."""

import dataclasses

from matrix import case
from subject import CHANGED_HEADER, HEADER


def kinds(answer):
    """What stands under each dependency's name."""
    return {item["path"]: item["kind"] for item in answer.reply["dependencies"]}


@case("files read", "with_header")
def test_a_header_that_changed_is_a_miss_and_one_that_is_as_it_was_a_hit(asker, subject):
    kernel = subject.with_header
    changed = dataclasses.replace(kernel, files=kernel.files | {"late/v.h": CHANGED_HEADER})
    expected = asker.call_directly(kernel)
    first = asker.ask(kernel)
    first.assert_is("miss", expected)
    assert kinds(first)["<include 1>/v.h"] == "file"

    expected_of_changed = asker.call_directly(changed)
    assert expected_of_changed.outputs != expected.outputs
    second = asker.ask(changed)
    second.assert_is("miss", expected_of_changed)
    assert "v.h changed since the nearest entry was compiled" in second.reply["reason"]
    asker.ask(kernel).assert_is("hit", expected)
    asker.ask(changed).assert_is("hit", expected_of_changed)


@case("files absent", "with_header")
def test_a_header_that_appears_where_none_was_is_a_miss_and_a_hit_once_it_is_gone(asker, subject):
    kernel = subject.with_header
    shadowed = dataclasses.replace(kernel, files=kernel.files | {"early/v.h": CHANGED_HEADER})
    expected = asker.call_directly(kernel)
    first = asker.ask(kernel)
    first.assert_is("miss", expected)
    assert kinds(first)["<include 0>/v.h"] == "absent"

    second = asker.ask(shadowed)
    second.assert_is("miss", asker.call_directly(shadowed))
    assert second.outputs != first.outputs
    assert "v.h" in second.reply["reason"] and "appeared" in second.reply["reason"]
    (asker.folder / "early/v.h").unlink()
    asker.ask(kernel).assert_is("hit", expected)


@case("files absent", "with_header")
def test_a_header_that_is_nowhere_is_the_compiler_s_own_error_until_it_is_there(asker, subject):
    kernel = subject.with_header
    without = dataclasses.replace(kernel, files={"early/other.h": ""}, compiles=False)
    expected = asker.call_directly(without)
    assert not expected.succeeded and "v.h" in expected.log.decode()
    asker.ask(without).assert_is("miss", expected)
    asker.ask(without).assert_is("hit", expected)
    asker.ask(kernel).assert_is("miss", asker.call_directly(kernel))


@case("files denied", "with_header")
def test_a_file_outside_the_request_s_directories_is_refused_unless_allowed(asker, subject, folder):
    outside = folder / "outside"
    outside.mkdir()
    (outside / "v.h").write_text(HEADER)
    kernel = dataclasses.replace(
        subject.with_header, source=subject.with_header.source.replace("<v.h>", f'"{outside}/v.h"'), files={}
    )
    for _ in range(2):
        refused = asker.ask(kernel, status=4)
        assert (refused.outcome, refused.reply["failure"]["kind"]) == ("miss", "file_unavailable")
        assert str(outside) in refused.reply["failure"]["message"]
        assert refused.reply["not_remembered"]
    asker.ask(kernel, "--allow", outside).assert_is("miss", asker.call_directly(kernel))
