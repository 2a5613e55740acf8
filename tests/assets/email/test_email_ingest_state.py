from datetime import UTC, datetime
from typing import Any

from assets.email.email_ingest_state import SPEC, decide, transform, transform_state
from remoteiq_etl.frames.dtypes import INTEGER, TIMESTAMP, frame
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import batch_of, outcomes, rows_of, waits

LOOKUPS = {("email_channels", "purpose"): Lookup.of({"alerts": "c1", "support": "c2"})}
Row = tuple[str | None, int | None, datetime | None]


def day(number: int) -> datetime:
    return datetime(2024, 1, number, tzinfo=UTC)


def table(rows: list[Row], key: str, time: str) -> Any:  # a frame
    columns = {
        key: [row[0] for row in rows],
        "last_uid": [row[1] for row in rows],
        time: [row[2] for row in rows],
    }
    return frame(columns, {"last_uid": INTEGER, time: TIMESTAMP})


def batch(state: list[Row] = [], ingested: list[Row] = [], target: list[Row] = []) -> Batch:  # noqa: B006  # never changed
    inputs = {
        "state": table(state, "purpose", "state_at"),
        "ingested": table(ingested, "purpose", "ingested_at"),
        "target_state": table(target, "channel_id", "last_synced_at"),
    }
    found = decide(inputs, StoredDecisions(), Context())
    return transform(Batch(found.rows["derived"]), Context(lookups=LOOKUPS, prepared=found.prepared))


def states(**tables: list[Row]) -> list[tuple[Any, ...]]:
    names = ("channel_id", "last_uid", "last_synced_at", "updated_at")
    return [tuple(row[name] for name in names) for row in rows_of(batch(**tables))]


def test_the_greatest_uid_of_state_and_mail() -> None:
    """last_uid is the greatest of all states and mails of a channel; the times are the latest."""
    state: list[Row] = [("alerts", 0, day(2)), (" Alerts", 7, day(1))]
    assert states(state=state) == [("c1", 7, day(2), day(2))]
    assert states(state=state, ingested=[("ALERTS", 20, day(5))]) == [("c1", 20, day(5), day(2))]
    assert states(state=state, ingested=[("ALERTS", 3, day(1))]) == [("c1", 7, day(2), day(2))]


def test_ingested_mail_without_state_makes_a_row() -> None:
    """A channel with ingested mail and no state gets a row."""
    assert states(ingested=[("support", 4, day(3))]) == [("c2", 4, day(3), day(3))]


def test_the_state_never_goes_down() -> None:
    """Neither the uid nor the time goes below what the target has."""
    state: list[Row] = [("alerts", 5, day(5))]
    assert states(state=state, target=[("c1", 9, day(9)), ("c2", 99, day(9))]) == [("c1", 9, day(9), day(5))]
    assert states(state=state, target=[("c1", 2, day(9))]) == [("c1", 5, day(9), day(5))]
    assert states(state=state, target=[("c1", None, None)]) == [("c1", 5, day(5), day(5))]
    assert states(state=[("alerts", None, day(5))], target=[("c1", 2, None)]) == [("c1", 2, day(5), day(5))]


def test_large_uids_keep_every_digit() -> None:
    """A uid is a whole number of up to 63 bits."""
    assert states(state=[("alerts", 2**62 + 1, day(1))], target=[("c1", 2**62, day(1))])[0][1] == 2**62 + 1


def test_a_state_waits_for_its_channel() -> None:
    """A channel that is not there yet holds its state; a blank purpose is no channel."""
    found = batch(state=[("unknown", 1, day(1)), (" ", 1, day(1))])
    assert outcomes(found) == {"unknown": ("held", "parent_missing")}
    assert [parent for parent, _ in waits(found).values()] == [("email_channels", "unknown")]


def test_every_legacy_state_is_accounted_for() -> None:
    """Each legacy state is merged into that of its channel; a blank purpose is quarantined."""
    found = transform_state(batch_of({"purpose": ["alerts", " "]}, key="purpose"), Context())
    assert outcomes(found) == {"alerts": ("merged", "state_of_channel"), " ": ("quarantined", "blank_purpose")}
    assert waits(found)[" "] == (None, ("purpose",))


def test_the_uid_tells_who_is_ahead() -> None:
    """Of the activity columns the uid comes first: the greater one wins."""
    assert SPEC.activity == ("last_uid", "last_synced_at")
