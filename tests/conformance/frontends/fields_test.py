"""Every field of a request counts: a change of it is another request, or is refused, and shows where it can."""

import pytest

from fields import FIELDS, LANGUAGES, ask_for, bytes_of, request_for
from matrix import case
from scripted_client import FAILURES, connect, run, schema
from subject import find_subjects


def test_every_field_of_the_schema_s_request_is_in_the_table():
    of_request = set(schema.Request.schema.fieldnames) - {"names"}
    of_names = {f"names.{name}" for name in schema.Names.schema.fieldnames}
    assert of_request | of_names == FIELDS.keys()


def test_every_language_has_a_subject():
    assert {subject.language for subject in find_subjects()} == LANGUAGES.keys()


def asked(daemon, subject, requests):
    """The outcomes of `requests` in order, and the request hash of each; None of one that is not remembered."""

    async def hash_of(session, outcome):
        if not outcome.key:
            return None
        return (await session.show(key=outcome.key)).entry.as_builder().requestHash

    async def scenario():
        client, session = await connect(daemon.socket)
        outcomes = [await ask_for(session, subject, wanted) for wanted in requests]
        return outcomes, [await hash_of(session, outcome) for outcome in outcomes]

    return run(scenario())


@pytest.mark.parametrize("field", FIELDS)
@case("request fields", "plain", "variant")
def test_a_change_of_a_field_is_another_request_or_refused_and_shows_where_it_can(daemon, subject, field, label):
    for number, change in enumerate(FIELDS[field](subject)):
        before, after = (
            request_for(subject, change.kernel, f"{label}.{number}", **changes)
            for changes in (change.before, change.after)
        )
        if field in subject.refused_fields:
            (outcome,), _ = asked(daemon, subject, [after])
            assert outcome.which() == "failure"
            assert FAILURES[outcome.failure.kind] in ("invalid_request", "unsupported_target")
            continue
        outcomes, hashes = asked(daemon, subject, [before, after, before, after])
        assert outcomes[0].which() == "artifact", outcomes[0].failure
        assert change.may_fail or outcomes[1].which() == "artifact", outcomes[1].failure
        served = "miss" if change.changes_hash or change.changes_bytes else "hit"
        assert [str(outcome.how) for outcome in outcomes] == ["miss", served, "hit", "hit"]
        assert None not in hashes
        assert (hashes[0] != hashes[1]) == change.changes_hash
        results = [bytes_of(outcome) for outcome in outcomes]
        assert (results[0] != results[1]) == change.changes_bytes
        assert results[:2] == results[2:]
