"""Sealed values in the state schema: looking at one, and bringing all under another key.

Belongs here: what an operator does with them. Does not belong here: sealing itself (remoteiq_etl.sensitive.sealing), what
is sealed (remoteiq_etl.backfill.outcomes.archive and images), reading keys.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from psycopg import sql

from remoteiq_etl.backfill.outcomes import archive, before_images
from remoteiq_etl.errors import ConfigurationError, SealBroken, SealingKeyMissing
from remoteiq_etl.frames import json_values
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.keys import VARIABLE, SealingKeys
from remoteiq_etl.sensitive.sealing import Place, Sealer, key_ids
from remoteiq_etl.state.schema import State

SQL = statements(__file__)

#: Rows that are read, sealed anew and committed together: a message may have a megabyte.
ROWS_AT_A_TIME = 200
#: Broken values that are named.
_FEW = 20

#: The tables with sealed values, and where reading them in the order of their keys begins.
_STORES: Mapping[str, Mapping[str, Any]] = {
    archive.TABLE: {"source_id": -1, "legacy_table": "", "legacy_key": "", "column": ""},
    before_images.TABLE: {"id": -1},
}


@dataclass
class Rotation:
    """What a rotation did: rows sealed anew, rows per key id afterwards, and the places of values that do not open."""

    rotated: int = 0
    keys: Mapping[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    broken_rows: int = 0


@dataclass(frozen=True)
class Value:
    """One value of a row. `text` is JSON text, opened where it was sealed; what there is of it, or None, where withheld."""

    name: str
    place: Place
    text: str | None
    withheld: bool


def under_keys(session: Session, state: State) -> dict[str, int]:
    """How many rows of the state schema, of all sources, are sealed under which key id."""
    return dict(session.rows(SQL["sealed_keys"].format(**state.names)))


def rotate(
    session: Session,
    state: State,
    keys: SealingKeys,
    *,
    rows_at_a_time: int = ROWS_AT_A_TIME,
    progress: Callable[[int], None] = lambda _rotated: None,
) -> Rotation:
    """Seal everything, of all sources, with the first key. A batch commits whole; run again, it goes on where it ended.

    A value that does not open at its place is left as it is and named. Raises SealingKeyMissing, before anything is
    written, when a key is not given under which rows are sealed.
    """
    _refuse_missing(under_keys(session, state), key_ids(keys))
    rotator = _Rotator(session, state.names, keys, rows_at_a_time)
    for store, start in _STORES.items():
        at: Mapping[str, Any] | None = start
        while at is not None:
            at = rotator.rotate(store, at)
            progress(rotator.done.rotated)
    rotator.done.keys = under_keys(session, state)
    return rotator.done


def values(
    session: Session, state: State, sealer: Sealer | None, row: Mapping[str, Any], *, before: bool = False
) -> list[Value]:
    """The values of a legacy row in the archive; with `before` what the before images of a target row leave out.

    `row`: source_id, table, key, column (None: all). Raises ConfigurationError without a key, and as Sealer.open does.
    """
    store, query = (before_images.TABLE, "image_values") if before else (archive.TABLE, "archived_values")
    found = session.rows(SQL[query].format(**state.names), dict(row))
    return [
        Value(name, at := (store, *place, name), clear if sealed is None else _opened(sealer, sealed, at), withheld)
        for name, clear, sealed, withheld, place in found
    ]


def _opened(sealer: Sealer | None, sealed: str, place: Place) -> str:
    if sealer is None:
        raise ConfigurationError(f"the value is sealed, and no key is given. Set {VARIABLE} or {VARIABLE}_FILE.")
    return sealer.open(sealed, place)


def _refuse_missing(found: Mapping[str, int], given: tuple[str, ...]) -> None:
    missing = {key_id: rows for key_id, rows in found.items() if key_id not in given}
    if missing:
        told = ", ".join(f"{rows:,} rows under {key_id}" for key_id, rows in missing.items())
        raise SealingKeyMissing(
            f"the keys given are {', '.join(given)}, but there are {told}. Nothing was changed. Add the missing keys to"
            f" {VARIABLE}, behind the first."
        )


@dataclass
class _Rotator:
    """Seals batches of rows anew. Each is a transaction of its own."""

    session: Session
    names: Mapping[str, sql.Composable]
    keys: SealingKeys
    limit: int
    done: Rotation = field(default_factory=Rotation)

    @cached_property
    def sealers(self) -> dict[str, Sealer]:
        sources = self.session.rows(sql.SQL("SELECT name FROM {sources}").format(**self.names))
        return {name: Sealer(self.keys, name) for (name,) in sources}

    def rotate(self, store: str, at: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Seal the rows of a table that follow a key. Returns the key where to go on; None at its end."""
        key_id = key_ids(self.keys)[0]
        with self.session.transaction():
            query = SQL[f"{store}_to_rotate"].format(**self.names)
            found = self.session.rows(query, {**at, "key_id": key_id, "limit": self.limit})
            rows = [row for one in found if (row := self._row(store, *one)) is not None]
            update = SQL[f"{store}_rotate"].format(**self.names)
            self.session.execute(update, {"rows": json_values.dumps(rows), "key_id": key_id})
        self.done.rotated += len(rows)
        return found[-1][0] if len(found) == self.limit else None

    def _row(
        self, store: str, at: Mapping[str, Any], source: str, place: list[str], sealed: Mapping[str, str]
    ) -> dict[str, Any] | None:
        try:
            new = {name: self.sealers[source].resealed(text, (store, *place, name)) for name, text in sealed.items()}
        except SealBroken:
            self.done.broken_rows += 1
            if len(self.done.broken) < _FEW:
                self.done.broken.append(f"{store} / {' / '.join(place)} ({', '.join(sealed)})")
            return None
        return {**at, "sealed": new}
