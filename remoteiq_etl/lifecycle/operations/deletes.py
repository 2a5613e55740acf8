"""A pass over rows gone from legacy as a run of its own, and what is listed afterwards.

Belongs here: opening the run, and reading the list for people. Does not belong here: the pass (remoteiq_etl.backfill.deletes.detect).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from remoteiq_etl.backfill.deletes.detect import DeletePolicy, DeletesReport
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


@dataclass(frozen=True)
class DeleteCandidate:
    """One legacy row that is gone, for one target table. `reason` and `holder` say why it is listed; no value of a row."""

    table: str
    legacy_table: str
    legacy_key: str
    new_key: str | None
    outcome: str
    reason: str | None
    holder: str | None
    first_run: int
    since: datetime


def delete_pass(
    migration: Migration,
    policy: DeletePolicy,
    *,
    tables: Collection[str] | None = None,
    confirmed: Collection[str] = (),
    orchestrator_run_id: str | None = None,
) -> tuple[Mapping[str, DeletesReport], Sequence[DeleteCandidate]]:
    """One pass in a run of its own. Returns what was done per asset, and all rows of these tables that are gone by now.

    Raises what `Migration.run` and `DeletePass.look` raise.
    """
    with migration.run(orchestrator_run_id=orchestrator_run_id) as run:
        reports = run.deletes.look(policy, tables=tables, confirmed=confirmed)
        return reports, delete_candidates(
            run.context.session, run.context.state, run.context.source_record.id, sorted(reports)
        )


def delete_candidates(
    session: Session, state: State, source_id: int, tables: Sequence[str] | None = None
) -> list[DeleteCandidate]:
    """The rows that are gone from the legacy database, of these target tables (None: of all), by table and key."""
    query = SQL["rows"].format(gone=state.name("gone"))
    parameters = {"source_id": source_id, "tables": None if tables is None else list(tables)}
    return session.objects(DeleteCandidate, query, parameters)
