"""Adoption: rows that were in the target before us, recognised by natural key before an id is chosen."""

from dataclasses import dataclass, field

import pandas as pd
from psycopg import sql

from remoteiq_etl.backfill.batch import KEY
from remoteiq_etl.backfill.database import Session
from remoteiq_etl.backfill.frames import TEXT
from remoteiq_etl.backfill.lookup import Lookup
from remoteiq_etl.backfill.spec import TableSpec
from remoteiq_etl.backfill.staging import ADOPTED
from remoteiq_etl.backfill.text import normalised

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
