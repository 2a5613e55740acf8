from datetime import UTC, datetime

import pytest

from assets.inventory.agent_software import SPEC, decide, transform
from remoteiq_etl.frames.dtypes import INTEGER, TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, micros, outcomes, rows_of, uid, waits

UPDATED = datetime(2024, 5, 1, tzinfo=UTC)
CONTEXT = Context(lookups={("agents", "agents"): Lookup.of({"7": uid(7)}, quarantined=frozenset({"9"}))})


def software(dates: list[str | None], agents: list[int] | None = None) -> Batch:
    count = len(dates)
    return batch_of(
        {
            "id": list(range(1, count + 1)),
            "agent_id": agents or [7] * count,
            "name": [" Editor"] * count,
            "version": ["1.0"] * count,
            "publisher": [None] * count,
            "install_date": dates,
            "updated_at": [UPDATED] * count,
        },
        {"id": INTEGER, "agent_id": INTEGER, "updated_at": TIMESTAMP},
    )


def test_target_row() -> None:
    """One legacy row becomes one row of its agent; text byte for byte, created_at is the legacy updated_at."""
    row = rows_of(transform(software(["2024-03-31"]), CONTEXT))[0]
    assert row == {
        KEY: "1",
        "id": CONTEXT.derive("agent_software", "agent_software", "1"),
        "agent_id": uid(7),
        "name": " Editor",
        "publisher": None,
        "version": "1.0",
        "updated_at": UPDATED,
        "install_date": datetime(2024, 3, 31, tzinfo=UTC),
        "created_at": UPDATED,
    }


def test_a_missing_time_is_when_the_agent_was_made() -> None:
    """An infinite updated_at is none; of an agent without created_at its earliest other time counts."""
    made, later = datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 2, 2, tzinfo=UTC)
    times = {"created_at": [made, None], "updated_at": [later, later], "last_seen_at": [None, made]}
    agents = frame({"id": ["7", "8"]} | times, dict.fromkeys(times, TIMESTAMP))
    prepared = decide({"agents": agents}, StoredDecisions(), CONTEXT).prepared
    assert prepared == {"agent_created_at": {"7": micros(made), "8": micros(made)}}
    batch = software([None, None])
    batch.legacy["updated_at"] = batch.legacy["updated_at"].where([True, False])
    rows = rows_of(transform(batch, Context(lookups=CONTEXT.lookups, prepared=prepared)))
    assert [(row["updated_at"], row["created_at"]) for row in rows] == [(UPDATED, UPDATED), (made, made)]
    assert batch.warnings == {"updated_at_filled": 1}


@pytest.mark.parametrize(
    ("text", "lost"), [("soon", True), ("2101-01-01", True), ("", False), (" ", False), (None, False)]
)
def test_unreadable_dates_are_archived(text: str | None, lost: bool) -> None:
    """A date that cannot be read is null, archived as text and counted; a blank is no date at all."""
    batch = transform(software([text, "2024-03-31"]), CONTEXT)
    assert rows_of(batch)[0]["install_date"] is None
    assert archived(batch) == ([("1", "install_date", text, "unreadable_date")] if lost else [])
    assert batch.warnings == ({"unreadable_date": 1} if lost else {})


def test_agents_that_are_not_there() -> None:
    """Software of an agent that is quarantined is quarantined, of one that is not there yet held."""
    batch = transform(software([None] * 3, [7, 8, 9]), CONTEXT)
    assert outcomes(batch) == {"2": ("held", "parent_missing"), "3": ("quarantined", "parent_quarantined")}
    assert waits(batch)["2"] == (("agents", "8"), ("agent_id",))


def test_created_at_is_written_once() -> None:
    """created_at has no legacy source of its own: it is set at the insert and never touched again."""
    assert SPEC.insert_only == ("created_at",)
    assert SPEC.log_like
