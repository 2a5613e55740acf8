"""The audit trail: one row per settings type and run of ours that changed it."""

import json
from datetime import UTC, datetime
from typing import Any

from assets.platform import organization_setting_audits as module
from assets.platform.organization_setting_audits import SPEC, WRITE, decide, transform
from remoteiq_etl.frames import derived_ids
from remoteiq_etl.frames.dtypes import TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import plain, rows_of

AT, LATER = datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2024, 2, 1, 12, 30, tzinfo=UTC)
ORGANIZATION = "00000000-0000-4000-8000-000000000001"
CONTEXT = Context(
    source="one", organization_slug="acme", lookups={("organizations", "derived"): Lookup.of({"acme": ORGANIZATION})}
)
RED, BLUE = {"primaryColor": "red"}, {"primaryColor": "blue"}


def write(
    run: str, previous: dict[str, Any] | None, following: dict[str, Any] | None, at: datetime = AT
) -> dict[str, Any]:
    return {"run": run, "at": at, "key": ORGANIZATION, "previous": _text(previous), "next": _text(following)}


def decided(*writes: dict[str, Any], recorded: tuple[Decision, ...] = ()) -> Decided:
    columns = {name: [one[name] for one in writes] for name in ("run", "at", "key", "previous", "next")}
    known = {(decision.legacy_table, decision.legacy_key): decision for decision in recorded}
    return decide({"organization_settings": frame(columns, {"at": TIMESTAMP})}, StoredDecisions(known), CONTEXT)


def changes(*writes: dict[str, Any]) -> list[tuple[str, str, Any, Any]]:
    """(settings type, run, previous, next) of each change."""
    rows = plain(decided(*writes).rows[WRITE])
    return [(row["settings_type"], row["run"], _value(row["previous"]), _value(row["next"])) for row in rows]


def test_the_first_write_has_nothing_before_it() -> None:
    """A setting that is empty then is no change."""
    first = write("7", None, {"branding": RED, "localization": {}, "support": None, "updated_at": "2024-01-01"})
    assert changes(first) == [("branding", "7", None, RED)]


def test_each_settings_type_that_a_write_changes_has_its_row() -> None:
    before = {"branding": RED, "localization": {"language": "de"}, "support": {}, "notifications": {}}
    after = {"branding": BLUE, "localization": {"language": "de"}, "support": {"a": 1}, "notifications": {"b": None}}
    assert changes(write("8", before, after)) == [
        ("branding", "8", RED, BLUE),
        ("notifications", "8", {}, {"b": None}),
        ("support", "8", {}, {"a": 1}),
    ]


def test_a_setting_that_becomes_empty_is_a_change() -> None:
    assert changes(write("9", {"branding": RED}, {"branding": {}})) == [("branding", "9", RED, {})]
    assert changes(write("9", {"branding": RED}, {})) == [("branding", "9", RED, None)]
    assert changes(write("9", {"branding": RED}, None)) == [("branding", "9", RED, None)]


def test_nothing_is_made_of_a_write_that_changed_no_setting() -> None:
    assert changes(write("9", {"branding": RED, "support": {}}, {"branding": RED})) == []
    assert decided().rows[WRITE].dtypes.to_dict() == module.COLUMNS


def test_a_change_is_recorded_under_type_and_run() -> None:
    [decision] = decided(write("8", None, {"branding": RED})).decisions
    assert decision == Decision(
        "write",
        '["branding","8"]',
        "changed_by_run",
        {"settings_type": "branding", "run": "8", "previous": None, "next": RED, "at": "2024-01-01T12:00:00+00:00"},
    )


def test_a_change_stays_as_it_was_recorded() -> None:
    """Also where its write is seen no more, or seen otherwise; later ones are added."""
    [known] = decided(write("8", None, {"branding": RED})).decisions
    found = decided(
        write("8", None, {"branding": BLUE}),
        write("9", {"branding": RED}, {"branding": BLUE}, LATER),
        recorded=(known,),
    )
    rows = plain(found.rows[WRITE])
    assert [(row[KEY], row["next"], row["at"]) for row in rows] == [
        ('["branding","8"]', '{"primaryColor":"red"}', AT),
        ('["branding","9"]', '{"primaryColor":"blue"}', LATER),
    ]
    assert {one.legacy_key for one in found.decisions} == {'["branding","8"]', '["branding","9"]'}
    assert plain(decided(recorded=(known,)).rows[WRITE]) == rows[:1]


def test_numbers_keep_their_digits() -> None:
    first = write("7", None, None) | {"next": '{"branding":{"scale":1.10}}'}
    assert plain(decided(first).rows[WRITE])[0]["next"] == '{"scale":1.10}'


def test_row() -> None:
    """Made by nobody, at the time of the run; its id is that of the settings type and the run."""
    found = decided(write("8", None, {"branding": RED}), write("9", {"branding": RED}, {"branding": {}}, LATER))
    first, second = rows_of(transform(Batch(found.rows[WRITE]), CONTEXT))
    namespace = derived_ids.source_namespace("one")
    assert first == {
        KEY: '["branding","8"]',
        "id": derived_ids.derive(namespace, "organization_setting_audits", "derived", "branding", "8"),
        "organization_id": ORGANIZATION,
        "settings_type": "branding",
        "previous": None,
        "next": '{"primaryColor":"red"}',
        "created_at": AT,
    }
    assert (second["previous"], second["next"], second["created_at"]) == ('{"primaryColor":"red"}', "{}", LATER)


def test_it_is_made_of_what_was_written_to_the_settings() -> None:
    """And so is loaded after them."""
    assert SPEC.decide is not None
    assert SPEC.decide.history == ("organization_settings",)
    assert SPEC.dependencies == ("organization_settings",)
    assert [source.name for source in SPEC.sources] == ["write"]
    assert "changed_by" not in transform(Batch(decided().rows[WRITE]), CONTEXT).columns


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
