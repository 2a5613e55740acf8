"""What the new application has changed, as changes of legacy rows: what an inverse shows now, against what it showed at the switch.

A value goes back where it is another one than at the switch and than legacy has. So what an inverse cannot say exactly stays as
legacy has it, unless it was changed. Belongs here: finding these rows in one snapshot of both databases. Does not belong here:
the target as it was at the switch (see as_written), writing (see legacy_writes).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from remoteiq_etl.backfill.source.ages import is_newer
from remoteiq_etl.fallback.as_written import TEMPORARY
from remoteiq_etl.fallback.model import Change, Kind
from remoteiq_etl.inverse.inverse import Inverse
from remoteiq_etl.inverse.round_trip import shown_column
from remoteiq_etl.inverse.views import LegacyViews
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.target_access import statement_names
from remoteiq_etl.verify.expected.compare import target_key
from remoteiq_etl.verify.snapshots import SnapshotPair

SQL = statements(__file__)


@dataclass(frozen=True)
class ChangesOf:
    """The changes of one legacy table, in the snapshot pair. `as_written` must have been offered to its session.

    `horizon`: legacy rows that are newer were written since the fence; `own`: transactions (xmin) of earlier fall-backs.
    """

    pair: SnapshotPair
    views: LegacyViews
    inverse: Inverse
    horizon: int
    own: Collection[int]
    switched_at: datetime

    def found(self) -> Iterator[Change]:
        """Row by row, in the order of their keys."""
        names, session = self._names(), self.pair.session
        self.pair.legacy_copy.whole(self.inverse.name)
        self._show("after_row", sql.SQL("SELECT * FROM {}").format(self._view), names)
        self._show("before_row", self.views.select_over(self.inverse, TEMPORARY), names)
        self._note_newer()
        for kind, key, columns, values, conflict in session.rows(
            SQL["changes"].format(**names), {"deleted": self.deleted()}
        ):
            yield Change(self.inverse.name, Kind(kind), key, tuple(columns), values or {}, conflict)

    def deleted(self) -> list[str]:
        """Legacy keys of rows that were ours and are not in the target any more."""
        found = None if self.inverse.keys is None else self.pair.source(self.inverse.keys, self.inverse.name)
        if found is None:
            return []
        names = statement_names(self.pair, found[0], self.inverse.name)
        statement = SQL["deleted"].format(**names, any_key=sql.Identifier(found[0].primary_key[0]))
        return [row[0] for row in self.pair.session.rows(statement, {"switched_at": self.switched_at})]

    @property
    def _view(self) -> sql.Identifier:
        return sql.Identifier(self.views.place.views, self.inverse.name)

    def _show(self, name: str, rows: sql.Composable, names: Mapping[str, sql.Composable]) -> None:
        session = self.pair.session
        session.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(TEMPORARY, name)))
        parts = {"shown": names["shown"], "key": names["key"]}
        session.execute(SQL["shown"].format(name=sql.Identifier(name), rows=rows, **parts))
        session.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(TEMPORARY, name)))

    def _note_newer(self) -> None:
        """Remember which legacy rows were written since the fence, and whether by a fall-back."""
        statement = SQL["newer"].format(
            key=target_key(list(self.inverse.key), "l"),
            table=self.pair.legacy.database.table(self.inverse.name),
            newer=is_newer(sql.SQL("l.xmin"), self.horizon),
        )
        rows = [(key, xmin in self.own) for key, xmin in self.pair.legacy.rows(statement)]
        session = self.pair.session
        session.execute("DROP TABLE IF EXISTS pg_temp.newer_row")
        session.execute("CREATE TEMP TABLE newer_row (key text, ours boolean)")
        session.execute_many("INSERT INTO pg_temp.newer_row VALUES (%s, %s)", rows)

    def _names(self) -> dict[str, sql.Composable]:
        columns, keys = [column.name for column in self.inverse.table.columns], list(self.inverse.key)
        return {
            "copy": sql.Identifier(TEMPORARY, f"legacy_{self.inverse.name}"),
            "copy_key": target_key(keys, "c"),
            "key": target_key(keys, "v"),
            "shown": sql.SQL(", ").join(shown_column(self.inverse, name) for name in columns),
            "differing": sql.SQL(", ").join(_differs(name) for name in columns if name not in keys),
            "values": sql.SQL(", ").join(
                sql.SQL("{}, {}::text").format(sql.Literal(name), sql.Identifier("a", name)) for name in columns
            ),
        }


def _differs(name: str) -> sql.Composed:
    return SQL["differs"].format(column=sql.Identifier(name), name=sql.Literal(name))
