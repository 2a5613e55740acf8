"""Verdicts in the state schema."""

from contextlib import closing
from datetime import UTC, datetime

from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.verdicts import store
from remoteiq_etl.verify.verdicts.model import (
    Aggregate,
    AggregateFigures,
    Check,
    Finding,
    FindingKind,
    Label,
    Status,
    TableVerdict,
    VerificationVerdict,
    counted,
)
from tests.support.migrating import Migration

FINDINGS = (
    Finding("users", "opinion", FindingKind.CHANGED, Label.BUG, "email differs", "u1", "users", "7", ("email",)),
    Finding("users", "opinion", FindingKind.MISSING, Label.HELD, "waits for clients", None, "users", "8"),
)


def _verdict(table: str = "users", status: Status = Status.VERIFIED) -> TableVerdict:
    return TableVerdict(
        table=table,
        status=status,
        verified_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        snapshot="10:12:",
        seconds=0.5,
        rows_compared=9,
        counts=counted(FINDINGS),
        checks=(Check("opinion", "every row is as the mapping says", 9, differences=2, bugs=1),),
        findings=FINDINGS,
        matrices={"status": {"active": {"active": 3}}},
        aggregates=(
            Aggregate("users", "is_on", "enabled", "boolean", AggregateFigures(9, 1, "3"), AggregateFigures(9, 1, "4")),
        ),
        inputs={"legacy": {"users": [1, 9]}},
    )


def test_a_verdict_is_read_as_it_was_written(migrated: Migration) -> None:
    with closing(migrated.plan.target.connect()) as session, session.transaction():
        state = State(migrated.plan.target, "remoteiq_etl")
        number = store.begin(session, state, 1, "10:12:")
        store.write(session, state, 1, number, _verdict())
        store.write(session, state, 1, number, _verdict("roles", Status.FAILED))
        store.end(session, state, number, "bug")
        roles, users = store.read(session, state, 1)
        (row,) = store.history(session, state, 1)
        session.execute("DELETE FROM remoteiq_etl.verifications; DELETE FROM remoteiq_etl.verification_runs")
    assert users.findings == FINDINGS
    assert (users.labels, users.bugs, users.passed) == ({"BUG": 1, "held": 1}, 1, False)
    assert (users.matrices, users.inputs, users.checks) == (_verdict().matrices, _verdict().inputs, _verdict().checks)
    assert users.aggregates == _verdict().aggregates
    assert users.as_json()["aggregates"][0]["equal"] is False
    assert not roles.passed
    assert (row.status, row.tables["users"]["labels"]) == ("bug", {"BUG": 1, "held": 1})


def test_a_bug_alone_fails() -> None:
    explained = VerificationVerdict(
        (TableVerdict("a", Status.VERIFIED, datetime.now(UTC), "1:1:", counts={"x": {"held": 2}}),)
    )
    assert (explained.passed, explained.word, explained.labels) == (True, "explained", {"held": 2})
    found = VerificationVerdict((*explained.tables, _verdict()))
    assert (found.passed, found.word, found.bugs) == (False, "BUG", 1)
    assert [one["label"] for one in found.as_json()["differences"]] == ["BUG", "held"]
    assert VerificationVerdict(()).word == "verified"
