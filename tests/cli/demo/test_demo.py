"""`demo` and `generate`: invented rows, and only where they may be."""

import re
from pathlib import Path

import pytest

from remoteiq_etl.cli.demo import demo
from remoteiq_etl.postgres.database import Database as Opened
from tests.cli.conftest import Cli
from tests.support.server import Database

README = Path(__file__).parents[3] / "README.md"


@pytest.mark.slow("starts a server of its own")
def test_the_demo_runs_on_the_bundled_databases(cli: Cli, tmp_path: Path) -> None:
    """Rows in quarantine are part of it, so it ends with 0; rows that change afterwards are re-synced, and all is proven."""
    assert "remoteiq-etl demo fills the bundled one" in cli("status", legacy="", target="").out
    empty = cli("run", legacy="", target="")
    assert (empty.code, "the bundled database is empty. remoteiq-etl demo fills it" in empty.err) == (1, True)
    loaded = cli("demo", "--load-only", legacy="", target="")
    assert (loaded.code, "307 rows into 35 legacy tables" in loaded.out) == (0, True)
    assert "Nothing was migrated" in loaded.out
    ended = cli("demo", legacy="", target="", COLUMNS="200")
    assert ended.code == 0, ended.err
    assert "is there already, with 307 rows" in ended.out
    assert re.search(r"What the re-sync did.*^ tickets +\d+ +1 +2 ", ended.out, re.DOTALL | re.MULTILINE)
    assert "Verified: every difference is explained." in ended.out
    [place] = re.findall(r"^The report: file://(\S+)$", ended.out, re.MULTILINE)
    assert Path(place).is_file()
    assert "Rows in quarantine belong to the show" in ended.out
    assert (tmp_path / "home" / "dagster").is_dir()
    assert figures_of_the_readme() == [
        re.search(pattern, ended.out, re.MULTILINE)[1]  # type: ignore[index]
        for pattern in (
            r"^ all +\d+ +(\d+)",
            r"^(\d+) rows are quarantined",
            r"^(\d+) rows wait for a parent",
            r"^(\d+) secret values",
        )
    ]


def figures_of_the_readme() -> list[str]:
    """What the README says that the demo prints: rows written, in quarantine, waiting, and secrets."""
    text = README.read_text(encoding="utf-8")
    said = re.search(
        r"(\d+) rows in the target, (\d+) rows in quarantine,\s(\d+) that wait .*?, (\d+) secrets", text, re.DOTALL
    )
    assert said is not None
    return list(said.groups())


def test_the_demo_fills_an_empty_database_once(empty_db: Database) -> None:
    database = Opened(empty_db.url, "public")
    assert demo.filled(database).startswith("Wrote 307 rows")
    assert demo.filled(database) == "The bundled legacy database is there already, with 307 rows."


def test_the_demo_fills_tables_that_are_empty(legacy_db: Database) -> None:
    assert demo.filled(Opened(legacy_db.url, "public")).startswith("Wrote 307 rows")


@pytest.mark.parametrize("side", ["legacy", "target"])
def test_the_demo_refuses_a_database_that_was_configured(cli: Cli, empty_db: Database, side: str) -> None:
    ended = cli("demo", **{"legacy": "", "target": "", side: empty_db})
    assert ended.code == 1
    assert f"REMOTEIQ_{side.upper()}_URL" in ended.err


def test_generate_fills_empty_legacy_tables(cli: Cli, legacy_db: Database, target_db: Database) -> None:
    ended = cli("generate", "--agents", "2", "--rows", "check_runs=7", legacy=legacy_db, target=target_db)
    assert ended.code == 0, ended.err
    with legacy_db.connect() as connection:
        assert connection.execute("SELECT count(*) FROM check_runs").fetchone() == (7,)
    again = cli("generate", "--agents", "2", legacy=legacy_db, target=target_db)
    assert again.code == 1
    assert "need empty legacy tables" in again.err


def test_generate_creates_tables_in_a_configured_database_only_when_told(
    cli: Cli, server: object, target_db: Database, empty_db: Database
) -> None:
    refused = cli("generate", "--agents", "1", legacy=empty_db, target=target_db)
    assert refused.code == 1
    assert "--create-schema" in refused.err
    empty_db.execute("CREATE EXTENSION citext; CREATE EXTENSION pgcrypto")
    ended = cli("generate", "--agents", "1", "--create-schema", legacy=empty_db, target=target_db)
    assert ended.code == 0, ended.err
