"""What of an archived value may be read by everyone, also where a text only looks like JSON."""

import json

import pytest

from remoteiq_etl.backfill.outcomes.archive import entry
from remoteiq_etl.spec.batch import Kept
from schemas import legacy

NOTE = legacy.tickets.columns["customer_id"]
DEEP = '{"a":' * 301 + "1" + "}" * 301


def value_of(text: str) -> tuple[str | None, bool]:
    """What the archive keeps of a text column's value, and whether something of it is withheld."""
    made = entry(Kept("1", NOTE.name, text, "no_home"), "tickets", NOTE, None)
    return made.value, made.withheld


def test_a_text_that_holds_json_loses_its_secrets_alone() -> None:
    assert value_of('{"token": "x", "n": 1e400}') == ('{"token":"[redacted]","n":1e400}', True)


@pytest.mark.parametrize(
    "text",
    ['{"token": "x", "n": NaN}', '{"token": "x", "s": "\\ud800"}', '{"token":' * 300, DEEP.replace("1", '{"a key":2}')],
    ids=["NaN", "half a character", "unfinished", "deep"],
)
def test_a_text_whose_secrets_cannot_be_told_from_the_rest_is_withheld(text: str) -> None:
    """No database takes it for JSON, and none refuses the row because of it."""
    assert value_of(text) == (None, True)


@pytest.mark.parametrize(
    "text", ['{"n": Infinity}', '["\\udfff"]', "[" * 5000, DEEP, "[Key account] ACME: west"], ids=lambda text: text[:9]
)
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert value_of(text) == (json.dumps(text, ensure_ascii=False), False)
