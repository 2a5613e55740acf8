"""The plan of an undo: what it would do per table, what stays and why, and a digest of what it was computed from.

Belongs here: computing it, and its form as a file. Does not belong here: the verdict on a row (see judge), executing it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from psycopg import sql

from remoteiq_etl.errors import UndoError
from remoteiq_etl.lifecycle.undo.access import UndoContext, UndoTarget, looking
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.lifecycle.undo.verdicts import RowVerdicts
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

#: The form of the file; raised when a program could misread an older one.
VERSION = 1
KIND = "remoteiq-etl undo plan"


@dataclass(frozen=True)
class TablePlan:
    """What would be done with one table, in rows. `kept` rows stay as they are now, `absent` ones are not there anyway."""

    table: str
    delete: int = 0
    restore: int = 0
    insert: int = 0
    kept: int = 0
    absent: int = 0
    blocked: int = 0
    digest: str = ""

    @property
    def changes(self) -> int:
        """Rows that would be written."""
        return self.delete + self.restore + self.insert


@dataclass(frozen=True)
class Listed:
    """One row that stays, blocks, or comes back without some columns. `holder`: the row because of which; keys, no values."""

    table: str
    key: str
    reason: str
    holder: str | None = None


@dataclass(frozen=True)
class UndoPlan:
    """A plan. `digest` says what it was computed from: where another one comes out, the target has moved since."""

    scope: UndoScope
    source: str
    accept_loss: bool
    tables: Sequence[TablePlan] = ()
    kept: Sequence[Listed] = ()
    blocked: Sequence[Listed] = ()
    lost: Sequence[Listed] = ()
    remarks: Sequence[str] = field(default_factory=list)
    digest: str = ""

    @property
    def changes(self) -> int:
        """Rows that would be written."""
        return sum(table.changes for table in self.tables)

    def as_json(self) -> dict[str, Any]:
        """The plan as plain data; holds keys of rows, no values."""
        return {
            "kind": KIND,
            "version": VERSION,
            "digest": self.digest,
            "source": self.source,
            "scope": self.scope.as_json(),
            "accept_loss": self.accept_loss,
            "tables": [vars(table) for table in self.tables],
            "kept": [vars(row) for row in self.kept],
            "blocked": [vars(row) for row in self.blocked],
            "lost": [vars(row) for row in self.lost],
            "remarks": list(self.remarks),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "UndoPlan":
        """The plan that `as_json` gave. Raises UndoError for other data."""
        if found.get("kind") != KIND or found.get("version") != VERSION:
            raise UndoError(
                f"expected a {KIND} of version {VERSION}, found {found.get('kind')!r} of version {found.get('version')!r}."
                " Make a new plan with remoteiq-etl undo … --out FILE."
            )
        try:
            return cls(
                UndoScope.from_json(found["scope"]),
                found["source"],
                found["accept_loss"],
                [TablePlan(**table) for table in found["tables"]],
                [Listed(**row) for row in found["kept"]],
                [Listed(**row) for row in found["blocked"]],
                [Listed(**row) for row in found["lost"]],
                found["remarks"],
                found["digest"],
            )
        except (KeyError, TypeError) as error:
            raise UndoError(
                f"the plan lacks or misstates something ({error}). Make a new one: remoteiq-etl undo … --out FILE."
            ) from error

    def write(self, path: Path) -> None:
        """Write the plan to a file. Raises UndoError when that cannot be done."""
        try:
            path.write_text(json.dumps(self.as_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise UndoError(f"{path}: the plan cannot be written ({error.strerror}). Name another file.") from error

    @classmethod
    def read(cls, path: Path) -> "UndoPlan":
        """The plan in a file. Raises UndoError."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise UndoError(f"{path}: is no plan ({error}). Make one with remoteiq-etl undo … --out FILE.") from error
        if not isinstance(found, dict):
            raise UndoError(f"{path}: is no plan. Make one with remoteiq-etl undo … --out FILE.")
        return cls.from_json(found)


def plan(place: UndoTarget, scope: UndoScope, *, accept_loss: bool = False, with_dependents: bool = False) -> UndoPlan:
    """Work out what an undo would do; nothing is written. Raises UndoError when there is no such run.

    `accept_loss`: rows come back without former secrets that nobody has. `with_dependents`: what the tables of the scope are
    referred to by, and is ours, belongs to the scope, too.
    """
    with looking(place) as undo, undo.session.transaction():
        undo.session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        if with_dependents:
            scope = scope.with_dependents(place.specs, undo.referring)
        return judged(undo, scope, accept_loss=accept_loss)


def judged(undo: UndoContext, scope: UndoScope, *, accept_loss: bool) -> UndoPlan:
    """The plan as of now; the rows stay in `undoing` until the end of the transaction."""
    remarks = _remarks(undo, scope)
    RowVerdicts(undo, scope, accept_loss).execute()
    found = UndoPlan(
        scope,
        undo.source_record.name,
        accept_loss,
        _tables(undo),
        _listed(undo, "u.verdict = 'kept'"),
        [*_listed(undo, "u.verdict = 'blocked'"), *_pruned(undo, scope)],
        _listed(undo, "u.verdict = 'free' AND cardinality(u.lost) > 0"),
        remarks,
    )
    return UndoPlan(**{**vars(found), "digest": _digest(found)})


def _tables(undo: UndoContext) -> list[TablePlan]:
    counts: dict[str, dict[str, int]] = {}
    for table, verdict, action, rows in undo.session.rows(
        "SELECT table_name, verdict, action, count(*) FROM undoing GROUP BY 1, 2, 3"
    ):
        of_table = counts.setdefault(table, {})
        name = action if verdict == "free" else verdict
        of_table[name] = of_table.get(name, 0) + rows
    digests = {row[0]: row[2] for row in undo.session.rows(SQL["digest"].format())}
    return [TablePlan(table, digest=digests[table], **counts[table]) for table in undo.tables if table in counts]


def _listed(undo: UndoContext, condition: str) -> list[Listed]:
    query = "SELECT u.table_name, u.new_key, u.reason, u.holder FROM undoing AS u WHERE {} ORDER BY 1, 3, 2"
    return [Listed(*row) for row in undo.session.rows(sql.SQL(query).format(sql.SQL(condition)))]


def _remarks(undo: UndoContext, scope: UndoScope) -> list[str]:
    """What is to be known about the run. Raises UndoError when there is none of this number."""
    if scope.run is None:
        return []
    query = sql.SQL("SELECT status FROM {} WHERE id = %s AND source_id = %s").format(undo.state.name("runs"))
    status = undo.session.value(query, [scope.run, undo.source_record.id])
    if status is None or status == "plan":
        raise UndoError(
            f"the source {undo.source_record.name!r} has no run {scope.run} that wrote anything. remoteiq-etl status shows the runs."
        )
    return [] if status == "succeeded" else [f"run {scope.run} has the status {status}: what it committed is undone"]


def _pruned(undo: UndoContext, scope: UndoScope) -> list[Listed]:
    """A run whose before images are gone cannot be undone for itself."""
    if scope.run is None:
        return []
    query = sql.SQL("SELECT images_pruned_at FROM {} WHERE id = %s").format(undo.state.name("runs"))
    if undo.session.value(query, [scope.run]) is None:
        return []
    reason = "its before images were removed when their retention ended"
    return [Listed("runs", str(scope.run), reason)]


def _digest(found: UndoPlan) -> str:
    """What the plan says, and through the digests of the tables what each of its rows is now."""
    return sha256(json.dumps({**found.as_json(), "digest": ""}, sort_keys=True).encode()).hexdigest()
