"""What is recorded of rows that did not become a row of their own: quarantined, held for a parent, left out.

Belongs here: writing these lists for a batch. Does not belong here: deciding it (transform, load), counting what is open
(see open_rows).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import sql

from remoteiq_etl.backfill.context.prepared import PreparedBatch
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.outcomes.open_rows import OpenRows
from remoteiq_etl.frames import json_text, times
from remoteiq_etl.frames.derived_ids import short_key
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import redacted_row
from remoteiq_etl.spec.batch import HASH, KEY, Disposal
from remoteiq_etl.spec.outcomes import Outcome
from remoteiq_etl.spec.table import TableSpec

SQL = statements(__file__)

#: Earlier reasons that a waiting row keeps: enough to see what was tried, and no row grows with every run.
MOST_HISTORY = 20


class RowLists:
    """The lists of one target table: quarantine, held, left out."""

    def __init__(self, run: RunContext, spec: TableSpec, open_rows: OpenRows) -> None:
        self.run = run
        self.spec = spec
        self.open_rows = open_rows

    def write(self, prepared: PreparedBatch, disposals: Sequence[Disposal]) -> None:
        """Record what became of the rows of a batch that are in no target row. Needs a transaction."""
        names = self._names(prepared.legacy_table)
        refused = [disposal for disposal in disposals if disposal.outcome == Outcome.QUARANTINED]
        held = [disposal for disposal in disposals if disposal.outcome == Outcome.HELD]
        rows = self._redacted(prepared, {disposal.key for disposal in refused})
        hashes = _hashes(prepared, {disposal.key for disposal in disposals})
        self._write_rows(
            SQL["quarantine"].format(**names),
            {
                d.key: {
                    "legacy_key": short_key(d.key),
                    "rule": d.rule,
                    "columns": d.columns,
                    "detail": d.detail,
                    "row": rows.get(d.key, {}),
                    "hash": hashes.get(d.key),
                }
                for d in refused
            },
        )
        self._write_rows(
            SQL["held"].format(**names),
            {
                d.key: {
                    "legacy_key": short_key(d.key),
                    "parent_table": d.parent[0],
                    "parent_key": d.parent[1],
                    "column": ", ".join(d.columns),
                    "hash": hashes.get(d.key),
                }
                for d in held
                if d.parent is not None
            },
        )
        self._write_left_out(prepared, disposals, hashes)

    def _write_left_out(
        self, prepared: PreparedBatch, disposals: Sequence[Disposal], hashes: Mapping[str, str]
    ) -> None:
        """Remember the rows that became nothing of their own, and forget of those that wait that they once were such."""
        waiting = [short_key(d.key) for d in disposals if d.outcome in (Outcome.QUARANTINED, Outcome.HELD)]
        if waiting and self.open_rows.has_left_out(self.spec.name):
            forget = SQL["waits_again"].format(**self._names(prepared.legacy_table))
            self.run.session.execute(forget, [waiting])
        self._write_rows(
            SQL["left_out"].format(**self._names(prepared.legacy_table)),
            {
                d.key: {
                    "legacy_key": short_key(d.key),
                    "outcome": d.outcome.value,
                    "rule": d.rule,
                    "hash": hashes.get(d.key),
                }
                for d in disposals
                if d.outcome not in (Outcome.QUARANTINED, Outcome.HELD)
            },
        )

    def _write_rows(self, statement: sql.Composable, rows: Mapping[object, Mapping[str, Any]]) -> None:
        """Rows by their key in one statement: one round trip, and one parse, for what may be every row of a batch."""
        if rows:
            self.run.session.execute(statement, {"rows": json_text.dumps(list(rows.values()))})

    def _redacted(self, prepared: PreparedBatch, keys: set[str]) -> dict[str, dict[str, Any]]:
        if not keys:
            return {}
        source = self.spec.source(prepared.legacy_table)
        picked = prepared.legacy[prepared.legacy[KEY].isin(list(keys))]
        rows = times.records(picked)
        return {row[KEY]: {} if source is None else redacted_row(source.table, row) for row in rows}

    def _names(self, legacy_table: str) -> dict[str, sql.Composable]:
        return {
            **self.run.names(self.spec, legacy_table),
            "recent": SQL["recent"].format(most=sql.Literal(MOST_HISTORY)),
            "as_ignored": SQL["as_ignored"].format(),
        }


def _hashes(prepared: PreparedBatch, keys: set[str]) -> dict[str, str]:
    """The hash of each of these legacy rows as hexadecimal text; rows of a decide step have none."""
    if not keys or HASH not in prepared.legacy:
        return {}
    picked = prepared.legacy[prepared.legacy[KEY].isin(list(keys))]
    return {key: value.hex() for key, value in zip(picked[KEY], picked[HASH], strict=True)}
