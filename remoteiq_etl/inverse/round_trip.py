"""The round trip: every legacy row against the legacy-shaped view of its table, column by column.

What was carried is read back by an inverse that shares no code with the mapping, so a legacy cell that comes back has lost
nothing. A difference is explained by what the inverse says of its column, by an edit in the target, by a row that waits or was
left out, or by a change of legacy since; else it is a BUG. Nothing is written but temporary tables. Belongs here: comparing and
explaining. Does not belong here: the views (see views), showing it (the command).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from psycopg import sql

from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.errors import ViewsError
from remoteiq_etl.inverse.definition import NUMBERS
from remoteiq_etl.inverse.inverse import ColumnRecovery, Inverse, Recovery, inverses
from remoteiq_etl.inverse.views import LegacyViews, schema_of
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.target_access import statement_names
from remoteiq_etl.state.written_columns import current_hash
from remoteiq_etl.verify.expected.compare import target_key
from remoteiq_etl.verify.expected.legacy_copy import copy_type
from remoteiq_etl.verify.snapshots import SnapshotPair, verification_context
from schemas.state.maps import map_name

SQL = statements(__file__)


class Reason(StrEnum):
    """Why a legacy row, or a value of it, does not come back."""

    LOST = "not recoverable"
    ODD_TIME = "time not carried"
    EDITED = "edited in the target"
    NEW = "written by the new application"
    CHANGED = "changed in legacy since"
    QUARANTINED = "quarantined"
    HELD = "held"
    MERGED = "merged"
    FILTERED = "filtered"
    DELETED = "deleted in the target"
    GONE = "gone"
    UNDONE = "undone"
    BUG = "BUG"


@dataclass(frozen=True)
class Difference:
    """One legacy row that does not come back as it was. `columns`: which of its values; none where it is about the row."""

    kind: str
    key: str
    columns: tuple[str, ...]
    odd_times: frozenset[str]
    state: str | None
    has_changed: bool


@dataclass
class TableRoundTrip:
    """What one table's round trip found.

    `rows`, `shown`: rows of legacy and of the view. `reasons`: rows that do not come back at all, by why. `columns`: by column and
    reason the rows whose value does not. `bugs`: key and columns of what nothing explains.
    """

    table: str
    recoveries: Mapping[str, ColumnRecovery]
    rows: int = 0
    shown: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)
    columns: dict[str, Counter[Reason]] = field(default_factory=dict)
    bugs: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)

    @property
    def exact(self) -> list[str]:
        """The columns of which every value comes back, with the archive or without."""
        return [name for name in self.recoveries if name not in dict(self.inexact)]

    @property
    def inexact(self) -> list[tuple[str, ColumnRecovery]]:
        """The columns of which that cannot be said: by their recovery, or because of a BUG."""
        return [
            (name, recovery)
            for name, recovery in self.recoveries.items()
            if recovery.recovery is Recovery.LOST or self.columns.get(name, Counter())[Reason.BUG]
        ]

    def count(self, column: str, reason: Reason) -> None:
        """Count one value of a column that does not come back."""
        self.columns.setdefault(column, Counter())[reason] += 1


@dataclass(frozen=True)
class RoundTrip:
    """The round trip of several tables."""

    tables: tuple[TableRoundTrip, ...]

    @property
    def passed(self) -> bool:
        """Whether everything that does not come back is explained."""
        return not any(one.bugs for one in self.tables)

    @property
    def exact(self) -> int:
        """Columns of which every value comes back."""
        return sum(len(one.exact) for one in self.tables)

    @property
    def all(self) -> int:
        """Columns looked at."""
        return sum(len(one.recoveries) for one in self.tables)


def shown_column(inverse: Inverse, name: str) -> sql.Composable:
    """A column of the view, with the type that a copy of the legacy table has: labels are text there."""
    return sql.SQL("{0}::{1} AS {0}").format(sql.Identifier(name), sql.SQL(copy_type(inverse.table.columns[name])))


def round_trip(plan: RunPlan, tables: Sequence[str] = ()) -> RoundTrip:
    """Compare these legacy tables (default: all) with their views, in one snapshot of both databases.

    Raises ViewsError when the views are not there as this program makes them, VerifyError when nothing was ever migrated.
    """
    chosen = [inverse for name, inverse in inverses().items() if not tables or name in tables]
    with verification_context(plan) as place, place.pair() as pair:
        views = LegacyViews(pair.session, pair.state, plan.source, place.source_id)
        if problems := views.problems():
            raise ViewsError(f"{'; '.join(problems[:5])}. Run remoteiq-etl views install, and repeat.")
        pair.session.connection.commit()
        with pair.session.transaction():
            return RoundTrip(tuple(_Comparison(pair, plan, inverse).of_table() for inverse in chosen))


@dataclass(frozen=True)
class _Comparison:
    """One table in work."""

    pair: SnapshotPair
    plan: RunPlan
    inverse: Inverse

    def of_table(self) -> TableRoundTrip:
        """Copy, compare, explain."""
        found = TableRoundTrip(self.inverse.name, self.inverse.columns)
        self.pair.legacy_copy.whole(self.inverse.name)
        for table in ("shown_row", "known_row", "difference"):
            self.pair.session.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("pg_temp", table)))
        names = self._names()
        self.pair.session.execute(SQL["shown_rows"].format(**names))
        found.rows, found.shown = self.pair.session.rows(SQL["counts"].format(**names))[0]
        self.pair.session.execute(SQL["known_rows"].format(**names), {"primary": self._primary()})
        if self.inverse.keys is not None:
            self.pair.session.execute(SQL["mapped_rows"].format(**names))
        self.pair.session.execute(SQL["differences"].format(**names))
        self._explain(found, list(self._differences(names)))
        return found

    def _explain(self, found: TableRoundTrip, differences: list[Difference]) -> None:
        if not differences:
            return
        edited = self._edited()
        elsewhere = self._edited_elsewhere() if any(one.kind == "changed" for one in differences) else False
        new = self._new([one.key for one in differences if one.kind == "surplus" and one.state is None])
        for one in differences:
            if one.kind == "changed":
                _of_columns(found, one, is_edited=elsewhere or one.key in edited)
                continue
            reason = _of_row(one, is_edited=one.key in edited, is_new=one.key in new)
            found.reasons[reason] += 1
            if reason is Reason.BUG:
                found.bugs.append((one.key, (), one.kind))

    def _names(self) -> dict[str, sql.Composable]:
        columns, keys = [column.name for column in self.inverse.table.columns], list(self.inverse.key)
        same = sql.SQL("{} = {}")
        state = self.pair.state
        named: dict[str, sql.Composable] = {name: state.name(name) for name in ("quarantine", "held", "left_out")}
        if self.inverse.keys is not None:
            named["map"] = state.name(map_name(self.inverse.keys))
        return named | {
            "numbers": state.name(NUMBERS),
            "source": sql.Literal(self.pair.source_id),
            "legacy_table": sql.Literal(self.inverse.name),
            "copy": sql.Identifier("pg_temp", f"legacy_{self.inverse.name}"),
            "view": sql.Identifier(schema_of(self.plan.source), self.inverse.name),
            "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
            "shown": sql.SQL(", ").join(shown_column(self.inverse, name) for name in columns),
            "keys": sql.SQL(", ").join(map(sql.Identifier, keys)),
            "any_key": sql.Identifier(keys[0]),
            "missing_key": target_key(keys, "m"),
            "surplus_key": target_key(keys, "s"),
            "twofold_key": target_key(keys, "v"),
            "copy_key": target_key(keys, "c"),
            "same": sql.SQL(" AND ").join(
                same.format(sql.Identifier("m", one), sql.Identifier("s", one)) for one in keys
            ),
            "differing": sql.SQL(", ").join(_differs(name) for name in columns),
        }

    def _differences(self, names: dict[str, sql.Composable]) -> Iterator[Difference]:
        for kind, key, columns, odd, state, changed in self.pair.session.rows(SQL["judged"].format(**names)):
            yield Difference(kind, key, tuple(columns), frozenset(odd or ()), state, changed is True)

    def _primary(self) -> list[str]:
        """The target tables by which a row of the legacy table is counted."""
        return sorted(
            {
                spec.name
                for spec in self.plan.specs.values()
                for source in spec.streamed
                if source.name == self.inverse.name and source.primary
            }
        )

    # --- edits ----------------------------------------------------------------------------------------------------

    def _edited(self) -> frozenset[str]:
        place = None if self.inverse.keys is None else self.pair.source(self.inverse.keys, self.inverse.name)
        if place is None:
            return frozenset()
        statement = SQL["edited"].format(
            **statement_names(self.pair, place[0], self.inverse.name),
            current_hash=current_hash(self.pair, place[0], self.inverse.name),
        )
        return frozenset(row[0] for row in self.pair.session.rows(statement))

    def _edited_elsewhere(self) -> bool:
        """Whether a row of another table that the view reads was edited: of which one nobody knows."""
        return any(self._is_edited(table) for table in sorted(self.inverse.reads - {self.inverse.keys}))

    def _is_edited(self, table: str) -> bool:
        query = sql.SQL("SELECT legacy_table FROM {} WHERE source_id = %s AND table_name = %s")
        written = self.pair.session.rows(
            query.format(self.pair.state.name("written_columns")), [self.pair.source_id, table]
        )
        return any(self._is_edited_from(table, legacy_table) for (legacy_table,) in written)

    def _is_edited_from(self, table: str, legacy_table: str) -> bool:
        writer = next(spec for spec in self.pair.writers(table))
        statement = SQL["edited_elsewhere"].format(
            **statement_names(self.pair, writer, legacy_table),
            current_hash=current_hash(self.pair, writer, legacy_table),
        )
        return self.pair.session.value(statement) is True

    def _new(self, keys: list[str]) -> frozenset[str]:
        """Of keys that legacy has not those that only the new application wrote."""
        if not keys:
            return frozenset()
        names = self._names()
        numbered = {row[0] for row in self.pair.session.rows(SQL["only_new"].format(**names), {"keys": keys})}
        if self.inverse.keys is None:
            return frozenset(keys)
        ours = {row[0] for row in self.pair.session.rows(SQL["mapped_as_new"].format(**names), {"keys": keys})}
        is_numbered = any(
            column.name in self.inverse.key for column in self.inverse.table.columns if "INT" in str(column.type)
        )
        return frozenset(numbered if is_numbered else set(keys) - ours)


_OF_STATE = {
    "quarantined": Reason.QUARANTINED,
    "held": Reason.HELD,
    "merged": Reason.MERGED,
    "filtered": Reason.FILTERED,
    "deleted": Reason.DELETED,
    "gone": Reason.GONE,
    "undone": Reason.UNDONE,
}


def _of_row(one: Difference, *, is_edited: bool, is_new: bool) -> Reason:
    """Why one side alone has a row."""
    if one.kind == "missing":
        if one.state in _OF_STATE:
            return _OF_STATE[one.state]
        if one.state is None or one.has_changed:
            return Reason.CHANGED
        return Reason.EDITED if is_edited else Reason.BUG
    if one.kind == "surplus":
        if one.state is None:
            return Reason.NEW if is_new else Reason.BUG
        return Reason.CHANGED
    return Reason.BUG


def _of_columns(found: TableRoundTrip, one: Difference, *, is_edited: bool) -> None:
    """Why values of a row that both sides have differ."""
    bugs = []
    for column in one.columns:
        reason = _of_column(found.recoveries[column], one, column, is_edited=is_edited)
        found.count(column, reason)
        bugs += [column] if reason is Reason.BUG else []
    if bugs:
        found.bugs.append((one.key, tuple(bugs), one.kind))


def _of_column(recovery: ColumnRecovery, one: Difference, column: str, *, is_edited: bool) -> Reason:
    if column in one.odd_times:
        return Reason.ODD_TIME
    if one.has_changed:
        return Reason.CHANGED
    if recovery.recovery is Recovery.LOST:
        return Reason.LOST
    if is_edited:
        return Reason.EDITED
    return Reason.QUARANTINED if one.state == "quarantined" else Reason.BUG


def _differs(name: str) -> sql.Composed:
    return sql.SQL("CASE WHEN {} IS DISTINCT FROM {} THEN {} END").format(
        sql.Identifier("m", name), sql.Identifier("s", name), sql.Literal(name)
    )
