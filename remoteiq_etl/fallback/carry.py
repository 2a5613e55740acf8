"""Carrying changes to the legacy tables in batches: recorded, written, recorded as done.

The transactions that wrote rows are recorded before they commit in legacy, so that these rows are known as ours after a kill; and a
change that has arrived is none any more. Belongs here: the order and the record. Does not belong here: the statements on a
legacy table (see legacy_writes), finding changes (see changes).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from remoteiq_etl.fallback.entries import Entries
from remoteiq_etl.fallback.legacy_writes import LegacyWrites
from remoteiq_etl.fallback.model import Change, Kind, LeftBehind
from remoteiq_etl.inverse.inverse import inverses
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State
from schemas import legacy

SQL = statements(__file__)

BATCH_ROWS = 1_000
Work = list[tuple[Kind, str, list[Change]]]


def waits_for_note(session: Session, state: State, source_id: int) -> bool:
    """Whether rows were carried of which no run has taken note yet."""
    return session.value(SQL["waiting"].format(**state.names), {"source_id": source_id}) is True


def note(session: Session, state: State, source_id: int) -> None:
    """Record that a run has taken note of all that was carried."""
    session.execute(SQL["noted"].format(**state.names), {"source_id": source_id})


def own_transactions(session: Session, state: State, source_id: int, cutover_id: int) -> set[int]:
    """The transactions (xmin) of the legacy database in which earlier fall-backs of a cut-over wrote, or would have written."""
    parameters = {"source_id": source_id, "cutover_id": cutover_id}
    return {row[0] for row in session.rows(SQL["own"].format(**state.names), parameters)}


@dataclass
class Carrier:
    """Writes changes to legacy. `admin` may write there; `horizon`: see LegacyWrites; `own`: transactions of
    earlier batches.
    """

    admin: Session
    entries: Entries
    cutover_id: int
    horizon: int
    own: set[int] = field(default_factory=set)

    def carry(self, changes: Iterable[Change]) -> list[LeftBehind]:
        """Carry all of these; returns the rows that legacy refuses.

        A row that legacy refuses may be taken once others are written, or gone: all that were are tried again while that helps.
        """
        self.admin.execute("SET default_transaction_read_only = off")
        work, refused = _in_order(changes), list[LeftBehind]()
        while work:
            before = sum(len(changes) for _, _, changes in work)
            refused, again = [], list[tuple[Kind, str, list[Change]]]()
            for kind, table, waiting in work:
                left = {one.key: one for one in self._carried(kind, table, waiting)}
                refused += left.values()
                again += [(kind, table, [one for one in waiting if one.key in left])] if left else []
            work = again if len(refused) < before else []
        return refused

    def _carried(self, kind: Kind, table: str, changes: Sequence[Change]) -> Iterator[LeftBehind]:
        for first in range(0, len(changes), BATCH_ROWS):
            yield from self._batch(kind, table, changes[first : first + BATCH_ROWS])

    def _batch(self, kind: Kind, table: str, changes: Sequence[Change]) -> list[LeftBehind]:
        """One batch: rows that legacy refused."""
        control, keys = self.entries.session, [one.key for one in changes]
        with self.admin.transaction():
            with control.transaction():
                number = self._begin(kind, table, len(changes))
                self.entries.prepare(kind, inverses()[table], keys)
            writes = LegacyWrites(self.admin, inverses()[table].table, self.horizon, self.own)
            refused = list(writes.write(changes))
            left = {one.key for one in refused}
            if kind is Kind.INSERT:
                writes.set_sequences(one for one in changes if one.key not in left)
            self.own |= writes.wrote
            control.execute(
                SQL["wrote"].format(**self.entries.state.names), {"id": number, "xids": sorted(writes.wrote)}
            )
        with control.transaction():
            if kind is Kind.DELETE:
                self.entries.forget(table, [key for key in keys if key not in left])
            elif kind is Kind.INSERT and left:
                self.entries.take_back(table, sorted(left))
            control.execute(SQL["done"].format(**self.entries.state.names), {"id": number, "refused": len(left)})
        return refused

    def _begin(self, kind: Kind, table: str, rows: int) -> int:
        values = {
            "source_id": self.entries.views.source_id,
            "cutover_id": self.cutover_id,
            "table": table,
            "operation": kind.value,
            "rows": rows,
        }
        return int(self.entries.session.value(SQL["begin"].format(**self.entries.state.names), values))


def _in_order(changes: Iterable[Change]) -> Work:
    """Deletions first, children before their parents: what they free may be used again. Then the others, parents first."""
    found: dict[tuple[Kind, str], list[Change]] = {}
    for one in changes:
        found.setdefault((one.kind, one.table), []).append(one)
    tables = [table.name for table in legacy.metadata.sorted_tables]
    order = [(Kind.DELETE, name) for name in reversed(tables)]
    order += [(kind, name) for kind in (Kind.INSERT, Kind.UPDATE) for name in tables]
    return [(kind, name, found[kind, name]) for kind, name in order if (kind, name) in found]


def by_table(changes: Iterable[Change]) -> Mapping[str, list[Change]]:
    """Changes by legacy table."""
    found: dict[str, list[Change]] = {}
    for one in changes:
        found.setdefault(one.table, []).append(one)
    return found
