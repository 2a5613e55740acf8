"""The rows in quarantine as people handle them: which there are, what is known of one, and which are accepted as they are.

Besides, what decisions warn of: nothing waits for it, but somebody should know. Belongs here: reading both, and the
decision to ignore rows. Does not belong here: putting rows there and releasing them (`remoteiq_etl.backfill`), showing
them (the command line).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from psycopg import sql

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.orders import actor
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


@dataclass(frozen=True)
class Selected:
    """Which open rows: of these tables (target or legacy ones), rules and keys, none named meaning all.

    `ignored`: only those that are ignored (True) or not (False). `released`: also those that are not open any more.
    """

    tables: Collection[str] = ()
    rules: Collection[str] = ()
    keys: Collection[str] = ()
    ignored: bool | None = None
    released: bool = False

    def parameters(self) -> dict[str, Any]:
        """The parameters of quarantine_where.sql."""
        lists = {"tables": self.tables, "rules": self.rules, "keys": self.keys}
        return {
            **{name: list(given) or None for name, given in lists.items()},
            "ignored": self.ignored,
            "released": self.released,
        }


@dataclass(frozen=True)
class QuarantinedRow:
    """One legacy row that waits in quarantine for a target table. `detail` names columns and keys, never values.

    `word`: the one that no value map knows, where that is why, as the quarantine keeps it: redacted where it is secret.
    """

    table: str
    legacy_table: str
    legacy_key: str
    rule: str
    columns: list[str]
    detail: str
    attempts: int
    since: datetime
    last_run: int
    ignored_at: datetime | None
    ignored_by: str | None
    ignored_reason: str | None
    word: str | None

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells it from every other row."""
        return self.table, self.legacy_table, self.legacy_key


@dataclass(frozen=True)
class QuarantinedDetail(QuarantinedRow):
    """The same with its values as last read (secrets redacted, long texts cut) and its earlier reasons, oldest first."""

    first_run: int
    released_run: int | None
    row: dict[str, Any] = field(repr=False)
    history: list[dict[str, Any]]


@dataclass(frozen=True)
class DecisionWarning:
    """A decision that a person should know of, as long as it holds: asset, rule, and the key that it is about."""

    table: str
    rule: str
    legacy_table: str
    legacy_key: str
    run: int
    since: datetime


_Row = TypeVar("_Row", QuarantinedRow, QuarantinedDetail)


@dataclass(frozen=True)
class Quarantine:
    """The quarantine of one source."""

    session: Session
    state: State
    source_id: int

    def rows(self, selected: Selected = Selected()) -> list[QuarantinedRow]:
        """These rows, by table and rule."""
        return self._read(QuarantinedRow, "rows", selected)

    def details(self, selected: Selected) -> list[QuarantinedDetail]:
        """These rows with all that is known of them, by table."""
        return self._read(QuarantinedDetail, "details", selected)

    def warnings(self, tables: Collection[str] = (), rules: Collection[str] = ()) -> list[DecisionWarning]:
        """What decisions warn of, by table and rule; no table or rule named meaning all."""
        query = SQL["decision_warnings"].format(**self.state.names)
        return self.session.objects(DecisionWarning, query, self._parameters(Selected(tables, rules)))

    def mark(self, selected: Selected, ignored_because: str | None) -> int:
        """Accept these rows as they are until they change, or (None) no longer; returns how many.

        They stay in quarantine, and alarm nobody.
        """
        statement = SQL["ignore"].format(**self._names())
        parameters = {**self._parameters(selected), "reason": ignored_because, "actor": actor()}
        return self.session.execute(statement, parameters).rowcount

    def _read(self, row_type: type[_Row], what: str, selected: Selected) -> list[_Row]:
        query = SQL[what].format(**self._names())
        return self.session.objects(row_type, query, self._parameters(selected))

    def _names(self) -> dict[str, sql.Composable]:
        return {**self.state.names, "selected": SQL["where"].format(), "word": SQL["word"].format()}

    def _parameters(self, selected: Selected) -> dict[str, Any]:
        return {"source_id": self.source_id, **selected.parameters()}


def stay(before: Sequence[QuarantinedRow], after: Sequence[QuarantinedRow]) -> list[QuarantinedRow]:
    """Those of the rows before that are still there, as they are now."""
    places = {row.place for row in before}
    return [row for row in after if row.place in places]
