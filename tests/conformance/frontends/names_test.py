"""Name expressions are lowered as the compiler does, and names of files bind where they reach the output alone."""

import dataclasses

from matrix import case


def lowered(answer):
    return {name["expression"]: name["lowered"] for name in answer.reply["lowered_names"]}


@case("name expressions", "with_expressions")
def test_lowered_names_are_those_in_the_binary_and_come_with_a_hit(asker, subject):
    kernel = subject.with_expressions
    expected = asker.call_directly(kernel)
    assert expected.lowered_names.keys() == set(kernel.name_expressions)
    for outcome in ("miss", "hit"):
        answer = asker.ask(kernel)
        answer.assert_is(outcome, expected)
        for name in lowered(answer).values():
            assert name.encode() in answer.outputs[subject.output]


@case("name expressions", "with_expressions")
def test_other_name_expressions_are_another_request_and_their_order_is_none(asker, subject):
    kernel = subject.with_expressions
    expressions = kernel.name_expressions
    assert len(expressions) > 1
    asker.ask(kernel)
    turned = dataclasses.replace(kernel, name_expressions=expressions[::-1])
    asker.ask(turned).assert_is("hit", asker.call_directly(turned))
    fewer = dataclasses.replace(kernel, name_expressions=expressions[1:])
    asker.ask(fewer).assert_is("miss", asker.call_directly(fewer))


@case("name expressions", "with_expressions")
def test_a_name_expression_that_names_nothing_is_the_compiler_s_own_error(asker, subject):
    kernel = dataclasses.replace(subject.with_expressions, name_expressions=("nothing_of_that_name",), compiles=False)
    expected = asker.call_directly(kernel)
    assert not expected.succeeded
    for outcome in ("miss", "hit"):
        asker.ask(kernel).assert_is(outcome, expected)


def askers_with_other_names(make_asker, subject):
    """Two who call source and working directory otherwise."""
    return make_asker("here"), make_asker("a/longer/way/there", f"src/other name.{subject.extension}")


@case("names bind", "with_own_name")
def test_names_that_reach_the_output_bind(make_asker, subject):
    askers = askers_with_other_names(make_asker, subject)
    kernels = [subject.with_own_name(asker.folder) for asker in askers]
    expected = [asker.call_directly(kernel) for asker, kernel in zip(askers, kernels)]
    assert expected[0].outputs != expected[1].outputs
    for outcome in ("miss", "hit"):
        for asker, kernel, own in zip(askers, kernels, expected):
            answer = asker.ask(kernel)
            answer.assert_is(outcome, own)
            assert asker.kiln.json("show", answer.key)["names_bind"] is True


@case("names do not bind", "plain")
def test_names_that_reach_no_output_bind_nothing(make_asker, subject):
    here, there = askers_with_other_names(make_asker, subject)
    first = here.ask(subject.plain)
    first.assert_is("miss", here.call_directly(subject.plain))
    second = there.ask(subject.plain)
    second.assert_is("hit", there.call_directly(subject.plain))
    assert second.key == first.key
    assert here.kiln.json("show", first.key)["names_bind"] is False
