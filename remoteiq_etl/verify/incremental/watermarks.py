"""Marks of everything that a verification of a table looked at: while they stay, its verdict stands without another look.

A mark is a horizon (the xmin of the snapshot) and a number of rows: a row that was written since has a newer xmin, a row
that is gone changes the number. Belongs here: taking and comparing marks. Does not belong here: what a verdict says, which rows
to look at when something has moved (see increments).
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from remoteiq_etl.backfill.source.ages import OLDEST_HORIZON, is_newer
from remoteiq_etl.backfill.source.relation_shape import RelationShape, read_shapes
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.state.schema import program_version
from remoteiq_etl.verify.causes.table_changes import TableChanges, options_of_table
from remoteiq_etl.verify.checks.rules import rules_about
from remoteiq_etl.verify.expected.expectation import Expectation, expectations
from remoteiq_etl.verify.snapshots import SnapshotPair
from schemas import legacy, target
from schemas.state.maps import map_name

_OF_TABLE = ("quarantine", "held", "left_out", "gone", "conflicts", "assets", "movements")
_WORD = re.compile(r"\w+")
Watermarks = Mapping[str, Any]


@dataclass(frozen=True)
class ComparedInputs:
    """What the verification of one table looks at, by name."""

    table: str
    statements: tuple[Expectation, ...]
    legacy: tuple[str, ...]
    targets: tuple[str, ...]
    maps: tuple[str, ...]


def inputs_of(pair: SnapshotPair, table: str) -> ComparedInputs:
    """What the opinions, rules and keys of a table look at."""
    statements = (*(one for one in expectations() if one.target == table), *rules_about(table))
    words = {word for one in statements for word in _WORD.findall(one.statement)}
    reads = {name for one in statements for name in (*one.reads, *filter(None, [one.rows]))}
    known = _names(legacy.metadata.tables)
    sources = {name for name in TableChanges(pair, table).reads(reads) if name in known}
    targets = {table} | {name for name in _names(target.metadata.tables) if name in words and pair.has_target(name)}
    maps = {table} | {word.removeprefix("map_") for word in words if word.startswith("map_")}
    present = set(pair.state.entities(pair.session))
    return ComparedInputs(
        table, statements, tuple(sorted(sources)), tuple(sorted(targets)), tuple(sorted(maps & present))
    )


def take(pair: SnapshotPair, inputs: ComparedInputs, parents: str | None = None) -> dict[str, Any]:
    """The marks of this look. Within its table's transaction, so that they are of what was looked at.

    `parents`: what its rows depend on besides, where they can be told apart (see increments).
    """
    horizon = int(pair.session.value("SELECT txid_snapshot_xmin(txid_current_snapshot())"))
    return {
        "database": pair.snapshot.database,
        "digest": _digest(pair, inputs),
        "parents": parents,
        "legacy": {name: [pair.snapshot.xmin, _rows(pair.legacy, _legacy(pair, name))] for name in inputs.legacy},
        "target": {name: [horizon, _rows(pair.session, query)] for name, query in _relations(pair, inputs)},
        "shapes": _shapes(pair, inputs),
    }


def are_comparable(pair: SnapshotPair, inputs: ComparedInputs, marks: Watermarks) -> bool:
    """Whether the marks are of the same databases, questions and relations, and young enough to tell what is newer."""
    if marks.get("database") != pair.snapshot.database or marks.get("digest") != _digest(pair, inputs):
        return False
    if marks.get("shapes") != _shapes(pair, inputs):
        return False  # rows may read otherwise than they did, with no newer xmin
    relations = [name for name, _ in _relations(pair, inputs)]
    if set(marks["legacy"]) != set(inputs.legacy) or set(marks["target"]) != set(relations):
        return False
    newest = int(pair.session.value("SELECT txid_snapshot_xmax(txid_current_snapshot())"))
    return _are_young(marks["legacy"], pair.snapshot.xmax) and _are_young(marks["target"], newest)


def _are_young(marks: Mapping[str, tuple[int, int]], newest: int) -> bool:
    return all(0 <= newest - horizon <= OLDEST_HORIZON for horizon, _ in marks.values())


def stand(pair: SnapshotPair, inputs: ComparedInputs, marks: Watermarks) -> bool:
    """Whether nothing of what the marks are of has moved since. They must be comparable."""
    relations = dict(_relations(pair, inputs))
    return all(_stands(pair.session, relations[name], *mark) for name, mark in marks["target"].items()) and all(
        _stands(pair.legacy, _legacy(pair, name), *mark) for name, mark in marks["legacy"].items()
    )


def _stands(session: Session, relation: sql.Composable, horizon: int, rows: int) -> bool:
    query = sql.SQL("SELECT count(*), count(*) FILTER (WHERE {}) {}").format(
        is_newer(sql.SQL("l.xmin"), horizon), relation
    )
    return session.rows(query)[0] == (rows, 0)


def _shapes(pair: SnapshotPair, inputs: ComparedInputs) -> dict[str, dict[str, RelationShape | None]]:
    """What the catalogues say of the tables of both sides, with all columns that the target has."""
    columns = {name: list(pair.live[name]) for name in inputs.targets if name in pair.live}
    found = read_shapes(pair.session, columns)
    return {
        "legacy": {name: pair.snapshot.shapes.get(name) for name in inputs.legacy},
        "target": {name: found.get(name) for name in inputs.targets},
    }


def _rows(session: Session, relation: sql.Composable) -> int:
    return int(session.value(sql.SQL("SELECT count(*) {}").format(relation)))


def _legacy(pair: SnapshotPair, name: str) -> sql.Composed:
    return sql.SQL("FROM {} AS l").format(pair.legacy.database.table(name))


def _relations(pair: SnapshotPair, inputs: ComparedInputs) -> Iterator[tuple[str, sql.Composed]]:
    """The tables of the target and of the state, of the latter the rows that are about the source (and table)."""
    for name in inputs.targets:
        yield name, sql.SQL("FROM {} AS l").format(pair.target.table(name))
    source = sql.Literal(pair.source_id)
    for name in inputs.maps:
        map_ = pair.state.name(map_name(name))
        yield f"map_{name}", sql.SQL("FROM {} AS l WHERE source_id = {}").format(map_, source)
    about = sql.SQL("FROM {} AS l WHERE source_id = {} AND table_name = {}")
    for name in _OF_TABLE:
        yield f"state.{name}", about.format(pair.state.name(name), source, sql.Literal(inputs.table))


def _digest(pair: SnapshotPair, inputs: ComparedInputs) -> str:
    """Of what is asked, besides rows: statements, words, options, program."""
    plan = pair.verification_context.plan
    options = options_of_table(pair, inputs.table)
    words = {name: dict(pairs) for name, pairs in plan.words.items()}
    settings = json.dumps([words, dict(options), plan.source, plan.organization_slug], sort_keys=True, default=str)
    parts = [program_version(), settings, *(one.statement for one in inputs.statements)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _names(tables: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name.partition(".")[2] for name in tables)
