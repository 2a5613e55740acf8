"""A whole migration, of the edge cases and of a generated installation of 1,000 agents: the conservation law is closed on
every table, and nothing of the legacy schema is without a disposition.

What is checked here is read from the databases: the rows of legacy, and what the ledger says of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from psycopg import sql

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.cli import main
from remoteiq_etl.fixtures.generator import generate
from schemas import legacy
from tests.support.migrating import Migration, bare_target, specs
from tests.support.migrations import Loaded
from tests.support.server import Database, Server

#: 1,000 agents and everything that hangs on each of them, with fewer rows in the tables that are logs.
FEWER = {"agent_software": 12_000, "check_assignments": 4_000, "check_runs": 10_000}
TABLES = sorted(table.name for table in legacy.metadata.sorted_tables)
_OF = "EXISTS (SELECT FROM check_assignments AS a WHERE a.id = r.assignment_id"
#: Legacy table, rule, and which rows the generator made so that they cannot be carried, as legacy tells.
PLANTED = (
    ("jobs", "unknown_word", "status = 'vanished'"),
    ("agent_jobs", "unknown_word", "status = 'stalled'"),
    ("tickets", "unknown_word", "status = 'triaged' OR priority = 'p1'"),
    (
        "users",
        "duplicate_email",
        "EXISTS (SELECT FROM users AS o WHERE lower(o.email) = lower(r.email) AND o.id < r.id)",
    ),
    ("check_assignments", "unresolvable_device", "device_id LIKE 'retired-%'"),
    ("check_runs", "unresolvable_device", f"device_id LIKE 'retired-%' AND NOT {_OF})"),
    # Of an assignment that is quarantined they are held for it.
    (
        "check_runs",
        "unknown_word",
        f"(status IN ('FLAPPING', '') OR severity = 'INFO') AND NOT {_OF} AND a.device_id LIKE 'retired-%')",
    ),
    ("dkim_keys", "unreadable_key", "private_key LIKE '%?%'"),
)
OUTCOMES = {outcome.value for outcome in Ledger}


@dataclass(frozen=True)
class Accepted:
    """One migration: the rows that each legacy table has, and the ledger's sums by legacy table and target table."""

    migration: Migration
    reports: dict[str, TableReport]

    def legacy_rows(self) -> dict[str, int]:
        query = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {}, count(*) FROM {}").format(sql.Literal(table), sql.Identifier(table)) for table in TABLES
        )
        with self.migration.legacy.connect() as connection:
            return dict(connection.execute(query).fetchall())

    def legacy_number(self, table: str, where: str) -> int:
        with self.migration.legacy.connect() as connection:
            row = connection.execute(f"SELECT count(*) FROM {table} AS r WHERE {where}".encode()).fetchone()
        assert row is not None
        return int(row[0])

    def primaries(self) -> dict[str, set[str]]:
        query = (
            "SELECT legacy_table, array_agg(DISTINCT table_name) FROM remoteiq_etl.ledger WHERE primary_rows GROUP BY 1"
        )
        return {table: set(names) for table, names in self.migration.query(query)}

    def outcomes(self, *, run: int) -> dict[str, tuple[int, dict[str, int]]]:
        """Rows read and rows per outcome, of each legacy table by its primary target."""
        query = (
            "SELECT l.legacy_table, o.key, sum(o.value::bigint)::bigint FROM remoteiq_etl.ledger AS l,"
            " jsonb_each_text(l.outcomes || jsonb_build_object('read', l.read)) AS o"
            " WHERE l.primary_rows AND l.run_id = %s GROUP BY 1, 2"
        )
        found: dict[str, dict[str, int]] = {}
        for table, name, rows in self.migration.query(query, run):
            found.setdefault(table, {})[name] = rows
        return {table: (sums.pop("read"), sums) for table, sums in found.items()}


@pytest.fixture(scope="module")
def generated(server: Server) -> Iterator[Accepted]:
    source, target = server.create_database(), bare_target(server)
    generate(source.url, agents=1_000, overrides=FEWER, create_schema=True)
    migration = Migration.of(source, target)
    yield Accepted(migration, migration.run())
    source.drop()
    target.drop()


@pytest.fixture(params=[pytest.param("edge cases", marks=pytest.mark.one_backfill), "1,000 agents"])
def accepted(request: pytest.FixtureRequest, first_loads: Callable[[Callable[[Server], Database]], Loaded]) -> Accepted:
    if request.param == "1,000 agents":
        return request.getfixturevalue("generated")
    return Accepted(*first_loads(bare_target))


def test_every_legacy_table_is_accounted_for_by_one_target_table() -> None:
    """By declaration: also a table that has no rows to be counted."""
    primaries = [source.name for spec in specs().values() for source in spec.streamed if source.primary]
    assert sorted(primaries) == TABLES


def test_every_legacy_row_was_read_once_by_the_primary_target(accepted: Accepted) -> None:
    ledger = {table: read for table, (read, _) in accepted.outcomes(run=1).items()}
    assert ledger == {table: rows for table, rows in accepted.legacy_rows().items() if rows}
    assert {table: names for table, names in accepted.primaries().items() if len(names) != 1} == {}


def test_every_row_that_was_read_has_one_outcome(accepted: Accepted) -> None:
    found = accepted.outcomes(run=1)
    assert {table: (read, sums) for table, (read, sums) in found.items() if read != sum(sums.values())} == {}
    assert {name for _, sums in found.values() for name in sums} <= OUTCOMES


def test_the_rows_of_each_target_table_are_those_that_were_inserted(accepted: Accepted) -> None:
    """Those of derived and synthesized rows included; of nothing was there before."""
    inserted: dict[str, int] = {}
    for asset, report in accepted.reports.items():
        table = specs()[asset].name
        inserted[table] = inserted.get(table, 0) + report.total(Ledger.INSERTED) - report.removed
    found = {table: len(rows) for table, rows in accepted.migration.versions().items()}
    assert found == {table: inserted.get(table, 0) for table in found}


def test_of_a_generated_installation_nothing_waits_but_the_faults_that_were_planted(generated: Accepted) -> None:
    """Words that nobody knows, addresses used twice, devices that nobody has, a key of another form; and their children."""
    roots = "SELECT legacy_table, rule, count(*) FROM remoteiq_etl.quarantine WHERE rule <> 'parent_quarantined' GROUP BY 1, 2"
    found = {(table, rule): rows for table, rule, rows in generated.migration.query(roots)}
    assert found == {(table, rule): generated.legacy_number(table, where) for table, rule, where in PLANTED}
    held = generated.migration.query("SELECT DISTINCT legacy_table, parent_table FROM remoteiq_etl.held")
    assert held == [("check_runs", "check_assignments")]
    assert generated.migration.query("SELECT count(*) FROM remoteiq_etl.conflicts") == [(0,)]


def test_a_full_second_run_finds_everything_unchanged(generated: Accepted) -> None:
    """The law is closed again, and no row is inserted, updated or removed."""
    versions = generated.migration.versions()
    reports = generated.migration.run(mode=Mode.FULL)
    assert generated.migration.versions() == versions
    second, first = generated.outcomes(run=2), generated.outcomes(run=1)
    assert {table: read for table, (read, _) in second.items()} == {table: read for table, (read, _) in first.items()}
    assert {table: sums for table, (read, sums) in second.items() if read != sum(sums.values())} == {}
    writes = (Ledger.INSERTED, Ledger.UPDATED, Ledger.ADOPTED)
    assert {
        table for table, report in reports.items() if any(report.total(outcome) for outcome in writes) or report.removed
    } == set()


def test_all_legacy_columns_are_accounted_for(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["lineage", "--check"])
    assert (code, capsys.readouterr().out) == (0, "319 of 319 legacy columns accounted for.\n")
