"""What waits of a table after its load: rows in quarantine, those that a person ignores, held rows, conflicts, warnings.

Belongs here: counting them for the table's report. Does not belong here: which rows wait (see commit, merge), showing
them (lifecycle).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.backfill.context.report import Waiting
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec

SQL = statements(__file__)


def count_waiting(run: RunContext, specs: Sequence[TableSpec]) -> Mapping[str, Waiting]:
    """What is open of the rows that each of these assets reads, as it is committed now; by asset."""
    names = ("quarantine", "held", "conflicts", "assets", "decision_warnings")
    query = SQL["waiting"].format(**{name: run.state.name(name) for name in names})
    asked = [
        {"asset": spec.asset, "table_name": spec.name, "legacy_tables": [source.name for source in spec.sources]}
        for spec in specs
    ]
    parameters = {"source_id": run.source_record.id, "snapshot_at": run.started_at, "asked": Jsonb(asked)}
    return {row[0]: replace(Waiting(*row[1:]), run=run.id) for row in run.session.rows(query, parameters)}


class OpenRows:
    """Which lists of a source have open rows of a table, asked once per run where writing does not change it."""

    def __init__(self, run: RunContext) -> None:
        self.run = run
        self._waiting: dict[str, list[str]] = {}
        self._left_out: dict[str, bool] = {}

    def waiting(self, table: str) -> list[str]:
        """Which of quarantine and held have open rows of this table."""
        if table not in self._waiting:
            exists = "EXISTS (SELECT FROM {} WHERE source_id = %s AND table_name = %s AND released_run IS NULL)"
            names = ("quarantine", "held")
            query = sql.SQL(f"SELECT {exists}, {exists}").format(*map(self.run.state.name, names))
            found = self.run.session.rows(query, [self.run.source_record.id, table] * 2)[0]
            self._waiting[table] = [name for name, waits in zip(names, found, strict=True) if waits]
        return self._waiting[table]

    def has_left_out(self, table: str) -> bool:
        """Whether a run has left rows out of this table before."""
        if table not in self._left_out:
            query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE source_id = %s AND table_name = %s)")
            found = self.run.session.value(
                query.format(self.run.state.name("left_out")), [self.run.source_record.id, table]
            )
            self._left_out[table] = bool(found)
        return self._left_out[table]

    def has_conflicts(self, table: str) -> bool:
        """Whether the conflict list has open entries of this table."""
        query = sql.SQL(
            "SELECT EXISTS (SELECT FROM {} WHERE source_id = %s AND table_name = %s AND resolved_run IS NULL)"
        )
        names = self.run.state.name("conflicts")
        return bool(self.run.session.value(query.format(names), [self.run.source_record.id, table]))

    def release_rest(self, spec: TableSpec) -> None:
        """Once all that waited was read again: what is not quarantined or held any more, for whatever reason, is released."""
        run = self.run
        for name in self.waiting(spec.name):
            update = sql.SQL(
                "UPDATE {} SET released_run = %s WHERE source_id = %s AND table_name = %s AND legacy_table = ANY (%s)"
                " AND released_run IS NULL AND last_run < %s"
            )
            read = [source.name for source in spec.sources]
            run.session.execute(
                update.format(run.state.name(name)), [run.id, run.source_record.id, spec.name, read, run.id]
            )

    def has_new(self, spec: TableSpec) -> bool:
        """Whether this run quarantined or held a row of the table for the first time, or released one."""
        run = self.run
        exists = (
            "EXISTS (SELECT FROM {} WHERE source_id = %s AND table_name = %s AND (first_run = %s OR released_run = %s))"
        )
        query = sql.SQL(f"SELECT {exists} OR {exists}").format(run.state.name("quarantine"), run.state.name("held"))
        return bool(run.session.value(query, [run.source_record.id, spec.name, run.id, run.id] * 2))
