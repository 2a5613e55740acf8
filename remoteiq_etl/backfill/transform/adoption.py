"""Adoption: rows that were in the target before us, recognised by natural key before an id is chosen."""

from dataclasses import dataclass, field

import pandas as pd
from psycopg import sql

from remoteiq_etl.backfill.context.prepared import ADOPTED, PreparedBatch
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.frames.text import normalised
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.spec.batch import KEY, Disposal
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.outcomes import Outcome
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.maps import map_of

RULE = "has_rows_not_ours"

Natural = tuple[str | None, ...]


@dataclass
class Adopter:
    """Target rows of one table that nobody mapped yet, by normalised natural key; of several the oldest.

    A candidate is given away once. `ambiguous` counts keys for which there was more than one.
    """

    spec: TableSpec
    candidates: dict[Natural, str] = field(default_factory=dict)
    ambiguous: int = 0

    @classmethod
    def load(cls, session: Session, spec: TableSpec, target: sql.Identifier, map_name: sql.Identifier) -> "Adopter":
        """Read the candidates. A table without declared natural key has none."""
        adopter = cls(spec)
        if spec.adopt is None or spec.primary_key != ("id",):
            return adopter
        among = [
            sql.SQL("t.{}::text = {}").format(sql.Identifier(name), sql.Literal(value))
            for name, value in spec.adopt.among.items()
        ]
        query = sql.SQL(
            "SELECT t.id::text, {columns} FROM {target} AS t WHERE {among} NOT EXISTS (SELECT FROM {map} AS m"
            " WHERE m.new_key = t.id AND m.state = 'live')"
            " ORDER BY {oldest} t.id"
        ).format(
            columns=sql.SQL(", ").join(
                sql.SQL("t.{}::text").format(sql.Identifier(name)) for name in spec.adopt.columns
            ),
            target=target,
            among=sql.SQL("").join(sql.SQL("{} AND ").format(condition) for condition in among),
            map=map_name,
            oldest=sql.SQL("t.created_at, " if "created_at" in spec.target.columns else ""),
        )
        for new_key, *values in session.rows(query):
            adopter._offer(tuple(values), new_key)
        return adopter

    def adopt(self, rows: pd.DataFrame, known: Lookup) -> pd.DataFrame:
        """The rows, with the id of a target row where one is recognised that no earlier run mapped."""
        if not self.candidates or rows.empty or self.spec.adopt is None:
            return rows
        naturals = list(
            zip(*[self._normalised(rows[name].astype(TEXT)) for name in self.spec.adopt.columns], strict=True)
        )
        mapped = known.knows(rows[KEY])
        found = [
            None if done else self.candidates.pop(natural, None) for natural, done in zip(naturals, mapped, strict=True)
        ]
        adopted = pd.Series([new_key is not None for new_key in found], index=rows.index, dtype=bool)
        ids = rows["id"].where(~adopted, pd.Series(found, index=rows.index, dtype=TEXT))
        return rows.assign(**{"id": ids.astype(TEXT), ADOPTED: adopted})

    def _offer(self, values: tuple[str | None, ...], new_key: str) -> None:
        natural = tuple(self._normalised(pd.Series([value], dtype=TEXT))[0] for value in values)
        if None in natural:
            return
        if natural in self.candidates:
            self.ambiguous += 1
        self.candidates.setdefault(natural, new_key)

    @staticmethod
    def _normalised(column: pd.Series) -> list[str | None]:
        return [None if value is pd.NA else value for value in normalised(column)]


def foreign_owners(run: RunContext, spec: TableSpec) -> frozenset[str]:
    """The values of the declared column under which the target has a row that no run of ours wrote."""
    if spec.unmanaged_by is None or not run.has_target(spec.name) or not run.state.has_map(run.session, spec.name):
        return frozenset()
    query = sql.SQL(
        "SELECT DISTINCT t.{owner}::text FROM {target} AS t"
        " WHERE NOT EXISTS (SELECT FROM {map} AS m WHERE m.new_key = t.{key} AND m.state = 'live')"
    ).format(
        owner=sql.Identifier(spec.unmanaged_by),
        target=run.target_name(spec.name),
        map=run.state.name(map_of(spec).name),
        key=sql.Identifier(spec.primary_key[0]),
    )
    return frozenset(row[0] for row in run.session.rows(query))


def skip_unmanaged(prepared: PreparedBatch, spec: TableSpec, owners: frozenset[str]) -> None:
    """Filter the rows of these owners."""
    if not owners or not len(prepared.rows):
        return
    theirs = prepared.rows[str(spec.unmanaged_by)].isin(list(owners)).astype(bool)
    prepared.disposals += [Disposal(str(key), Outcome.FILTERED, RULE) for key in prepared.rows.loc[theirs, KEY]]
    prepared.rows = prepared.rows[~theirs].reset_index(drop=True)
