"""`finalize` completes a verified target, refuses any other, prints its SQL, and makes the reporting views."""

import json

import pytest

from schemas.views import REPORTS
from tests.cli.conftest import Cli, Migrated


def test_it_needs_a_verified_migration_and_makes_it_finalized(cli: Cli, migrated: Migrated) -> None:
    both = {"legacy": migrated.legacy, "target": migrated.target}
    refused = cli("finalize", **both)
    assert refused.code == 1
    assert refused.err.strip() == (
        "remoteiq-etl finalize needs a migration that is verified or finalized; this one is in step."
        " Next: remoteiq-etl verify. Nothing was changed."
    )
    migrated.target.execute("UPDATE remoteiq_etl.stages SET stage = 'verified'; DROP VIEW report_software")
    script = cli("finalize", "--dry-run", **both)
    assert script.code == 0
    assert script.out.count("CREATE OR REPLACE VIEW") == 1
    assert script.out.count("ANALYZE ") == 48
    done = json.loads(cli("finalize", "--json", **both).out)
    assert (done["views"], done["tables"], done["foreign_keys"], done["remarks"]) == (["report_software"], [], [], [])
    shown = cli("finalize", **both).out
    assert "The target is finalized: nothing was missing" in shown
    found = json.loads(cli("status", "--json", **both).out)["state"]
    assert (found["stage"], found["next"], found["command"]) == ("finalized", "cut over", "remoteiq-etl cutover")
    doctor = json.loads(cli("doctor", "--json", **both).out)["target"]
    assert [one for one in doctor["differences"] if one["difference"] == "extra view"] == []


@pytest.mark.parametrize("view", REPORTS, ids=lambda view: view.name)
def test_a_reporting_view_has_rows_and_every_column_its_meaning(migrated: Migrated, view: object) -> None:
    """Made by the run."""
    name = view.name  # type: ignore[attr-defined]
    with migrated.target.connect() as connection:
        cursor = connection.execute(f"SELECT * FROM {name}".encode())
        rows = cursor.fetchall()
        columns = [column.name for column in cursor.description or ()]
        said = connection.execute(
            "SELECT a.attname, col_description(a.attrelid, a.attnum) FROM pg_attribute AS a"
            " WHERE a.attrelid = %s::regclass AND a.attnum > 0 ORDER BY a.attnum",
            [name],
        ).fetchall()
    assert rows
    assert columns == [name for name, _ in said] == [*view.columns]  # type: ignore[attr-defined]
    assert all(text for _, text in said)
