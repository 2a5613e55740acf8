"""What the tables declare of their columns is what a migration does with them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.lifecycle.mapping.column_map import (
    UNCHANGED,
    ColumnMap,
    LegacyColumn,
    TargetColumn,
    column_map,
    origins,
)
from remoteiq_etl.spec.dispositions import DispositionKind
from remoteiq_etl.spec.table import Source
from schemas import legacy, target
from tests.support.migrating import Migration, bare_target, specs
from tests.support.reactions import Recorder, in_archive, read_by_decide, shown
from tests.support.server import Server

#: They tell which row of another table is meant; what is read there has its own lineage.
JOINS = {"roles.name", "check_runs.assignment_id"}
#: Declared, and no edge-case row has the value that would show it.
UNSEEN = {
    ("email_inbound_events.raw", "email_messages.cc_addresses"),
    # Only where a time of revoking cannot be read: tests/assets/access/test_withdrawn.py has such rows.
    ("sessions.last_seen", "sessions.revoked_at"),
    ("personal_tokens.last_used_at", "personal_access_tokens.revoked_at"),
    ("personal_tokens.created_at", "personal_access_tokens.revoked_at"),
}


@dataclass(frozen=True)
class Observed:
    """One migration of the edge cases, with what its transforms were given and made."""

    migration: Migration
    reports: Mapping[str, TableReport]
    recorder: Recorder
    reactions: Mapping[tuple[str, str], set[str]]

    def reacting(self, place: str) -> set[str]:
        """The target columns (table.column), archive entries and DISPOSALS that react to a legacy column."""
        return {
            f"{table}.{name}" if name in target.metadata.tables[f"target.{table}"].columns else name
            for (table, of), names in self.reactions.items()
            if of == place
            for name in names
        }


@pytest.fixture(scope="module")
def observed(server: Server, edge_template: str) -> Iterator[Observed]:
    databases = server.create_database(template=edge_template), bare_target(server)
    migration, recorder = Migration.of(*databases), Recorder()
    reports = replace(migration, plan=replace(migration.plan, specs=recorder.wrapped(specs()))).run()
    reactions: dict[tuple[str, str], set[str]] = defaultdict(set)
    for call in recorder.calls:
        for place, names in call.reactions().items():
            reactions[call.spec.name, place] |= names
    yield Observed(migration, reports, recorder, reactions)
    for database in databases:
        database.drop()


def declared() -> ColumnMap:
    return column_map(specs())


def stands_in(observed: Observed, place: str, column: TargetColumn) -> bool:
    """Whether a legacy column fills a target column where the other columns of its table that fill it are null."""
    table, _, name = place.partition(".")
    others = [one.partition(".")[2] for one in column.sources if one.startswith(f"{table}.") and one != place]
    calls = [call for call in observed.recorder.calls if (call.spec.name, call.source.name) == (column.table, table)]
    return any(column.name in call.alone(name, others) for call in calls)


def of_kind(*kinds: DispositionKind) -> list[LegacyColumn]:
    return [one for one in declared().legacy.values() if one.disposition and one.disposition.kind in kinds]


def is_join(place: str) -> bool:
    table, _, name = place.partition(".")
    column = legacy.metadata.tables[f"legacy.{table}"].columns[name]
    return bool(column.primary_key or column.foreign_keys) or place in JOINS


def plain_columns(table: str) -> list[str]:
    return [column.name for column in target.metadata.tables[f"target.{table}"].columns if not column.primary_key]


def test_what_reacts_to_a_legacy_column_is_declared_as_its_target(observed: Observed) -> None:
    """Also the substitutes of a missing time. Columns that join rows are left out."""
    undeclared = [
        f"{place} → {table}.{name}"
        for (table, place), names in observed.reactions.items()
        for name in sorted(names.intersection(plain_columns(table)))
        if not is_join(place) and place not in origins(specs()[table]).get(name, ())
    ]
    assert not undeclared, "\n".join(undeclared)


def test_what_is_declared_reacts_or_is_read_by_a_decision(observed: Observed) -> None:
    silent = [
        f"{place} → {column.place}"
        for column in declared().target.values()
        if not column.optional
        for place in column.sources
        if (place, column.place) not in UNSEEN
        and column.place not in observed.reacting(place)
        and place not in read_by_decide(specs()[column.table], specs())
        and not stands_in(observed, place, column)
    ]
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize("column", of_kind(DispositionKind.RETIRED), ids=lambda column: column.place)
def test_nothing_reacts_to_a_retired_column(observed: Observed, column: LegacyColumn) -> None:
    assert observed.reacting(column.place) == set()


@pytest.mark.parametrize(
    "column", of_kind(DispositionKind.ARCHIVED, DispositionKind.SUPERSEDED), ids=lambda column: column.place
)
def test_a_column_without_a_home_is_archived_under_its_rule(observed: Observed, column: LegacyColumn) -> None:
    assert column.disposition is not None
    assert in_archive(column.name, column.disposition.rule) in observed.reacting(column.place)


@pytest.mark.parametrize("column", of_kind(DispositionKind.ARCHIVED), ids=lambda column: column.place)
def test_every_archived_value_of_a_migrated_row_is_in_the_archive(observed: Observed, column: LegacyColumn) -> None:
    assert column.disposition is not None
    key = legacy.metadata.tables[f"legacy.{column.table}"].primary_key.columns.keys()[0]
    with observed.migration.legacy.connect() as connection:
        query = f'SELECT "{key}"::text FROM "{column.table}" WHERE "{column.name}" IS NOT NULL'
        values = {row[0] for row in connection.execute(query.encode()).fetchall()}
    waiting = [f"SELECT legacy_key FROM remoteiq_etl.{name} WHERE legacy_table = %s" for name in ("quarantine", "held")]
    not_migrated = {row[0] for query in waiting for row in observed.migration.query(query, column.table)}
    archived = observed.migration.query(
        "SELECT legacy_key, rule FROM remoteiq_etl.legacy_archive"
        ' WHERE legacy_table = %s AND "column" = %s AND (withheld OR value IS NOT NULL)',
        column.table,
        column.name,
    )
    assert values, "no edge-case row has a value"
    assert values - not_migrated - {row[0] for row in archived} == set()
    assert column.disposition.rule in {row[1] for row in archived}


@pytest.mark.parametrize("column", of_kind(DispositionKind.MERGED), ids=lambda column: column.place)
def test_the_rows_of_a_merged_column_are_merged_by_its_rule(observed: Observed, column: LegacyColumn) -> None:
    assert column.disposition is not None
    accounts = [
        account
        for report in observed.reports.values()
        for account in report.accounts.values()
        if account.legacy_table == column.table
    ]
    assert column.disposition.rule in {
        rule for account in accounts for rules in account.rules_by_outcome().values() for rule in rules
    }


def test_what_is_called_unchanged_is_unchanged(observed: Observed) -> None:
    found = declared().target
    changed = [
        f"{call.source.name}.{place.partition('.')[2]} → {call.spec.name}.{name}"
        for call in observed.recorder.calls
        for name, made in call.made.columns.items()
        if (column := found.get(f"{call.spec.name}.{name}")) is not None and column.rule == UNCHANGED
        for place in column.sources
        if place.partition(".")[0] == call.source.name
        and [m for m, good in zip(made, call.good, strict=True) if good]
        != [v for v, good in zip(shown(call.rows[place.partition(".")[2]]), call.good, strict=True) if good]
    ]
    assert changed == []


def test_every_legacy_source_was_seen(observed: Observed) -> None:
    """The edge cases have rows for each, else the tests above say nothing about it."""
    seen = {(call.spec.name, call.source.name) for call in observed.recorder.calls}
    assert {
        (name, one.name) for name, spec in specs().items() for one in spec.sources if isinstance(one, Source)
    } == seen
