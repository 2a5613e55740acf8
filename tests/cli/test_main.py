"""What holds for every command: how it starts, how it fails, and what it never shows."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
import typer

from remoteiq_etl.cli.main import app
from remoteiq_etl.cli.run import status
from tests.cli.conftest import Cli
from tests.support.server import Database

ROOT = Path(__file__).parents[2]
NOWHERE = "postgresql://etl:s3cret-pass@127.0.0.1:1/legacy"
NOWHERE_ELSE = "postgresql://etl:s3cret-pass@127.0.0.1:1/target"


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[str]:
    command = command or typer.main.get_command(app)
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, (*path, name)) if hasattr(one, "commands") else [" ".join((*path, name))]


def test_help_is_quick() -> None:
    """Nothing that takes long is imported before a command is called."""
    code = (
        "import sys, remoteiq_etl.cli;"
        "print([name for name in ('dagster', 'pandas', 'pandera', 'pyarrow', 'psycopg') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_command_is_in_the_guide() -> None:
    page = (ROOT / "docs" / "guide" / "commands.md").read_text(encoding="utf-8")
    assert [name for name in commands() if f"`remoteiq-etl {name}" not in page] == []


def test_every_command_has_help(cli: Cli) -> None:
    for name in commands():
        ended = cli(*name.split(), "--help", legacy=NOWHERE, target=NOWHERE_ELSE)
        assert (ended.code, bool(ended.out)) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["nope"], "No such command"),
        (["run", "--nope"], "No such option"),
        (["run", "--table", "usres"], "'users' is meant?"),
        (["plan", "--domain", "nowhere"], "Known: access,"),
        (["quarantine", "list", "--table", "chekcs"], "'checks' is meant?"),
        (["quarantine", "list", "--limit", "-1"], "greater than or equal to 0"),
        (["generate", "--agents", "1", "--rows", "users"], "TABLE=N"),
    ],
)
def test_wrong_usage_exits_with_2_and_reaches_no_database(cli: Cli, arguments: list[str], hint: str) -> None:
    ended = cli(*arguments, legacy=NOWHERE, target=NOWHERE_ELSE)
    assert ended.code == 2
    assert hint in re.sub(r"\s*│\s*", " ", ended.err)


@pytest.mark.parametrize("command", ["status", "plan", "run", "quarantine list", "doctor", "generate --agents 1"])
def test_an_unreachable_server_is_named_without_its_password(cli: Cli, command: str) -> None:
    """As text on stderr (of doctor: as its result), without a traceback."""
    ended = cli(*command.split(), legacy=NOWHERE, target=NOWHERE_ELSE)
    assert ended.code == 1
    said = ended.out + ended.err
    assert "127.0.0.1" in said
    assert "s3cret" not in said
    assert "Traceback" not in said


def test_a_wrong_setting_is_explained(cli: Cli, target_db: Database) -> None:
    ended = cli("status", legacy=NOWHERE, target=target_db, REMOTEIQ_BATCH_ROWS="many")
    assert ended.code == 1
    assert ended.err.startswith("environment: batch_rows: expected a whole number from 1 to 1000000, found 'many'.")


def failing(*_: object, **__: object) -> NoReturn:
    # Put together here, because --debug shows lines of the source.
    value = "-".join(("pl", "anted"))
    raise psycopg.errors.UniqueViolation(f"Key (email)=({value}@example.com) already exists.")


@pytest.mark.parametrize("options", [[], ["--debug"]])
def test_an_error_of_a_database_shows_no_value_of_a_row(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    """Not even with --debug, which says where it arose."""
    monkeypatch.setattr(status, "show", failing)
    ended = cli(*options, "status", legacy=NOWHERE, target=NOWHERE_ELSE)
    assert ended.code == 1
    assert "a constraint refuses a row (SQLSTATE 23505)" in ended.err
    assert "pl-anted" not in ended.out + ended.err
    assert ("in failing" in ended.err) == bool(options)


@pytest.mark.parametrize("command", ["plan", "run", "verify", "doctor"])
def test_every_command_says_the_same_of_an_error(
    cli: Cli, edge_db: Database, target_db: Database, command: str
) -> None:
    """Which right is lacking, with the statement that gives it; never the class of the error alone."""
    role = edge_db.select_only_role()
    edge_db.execute("REVOKE EXECUTE ON FUNCTION pg_postmaster_start_time() FROM PUBLIC")
    ended = cli(command, legacy=edge_db.url_as(role), target=target_db, COLUMNS="500")
    said = ended.out + ended.err
    assert ended.code == 1
    assert f"GRANT EXECUTE ON FUNCTION pg_catalog.pg_postmaster_start_time() TO {role};" in said
    assert "SQLSTATE 42501: permission denied for function pg_postmaster_start_time" in said
    assert "Unexpected error" not in said


def interrupted(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


def test_an_interrupted_command_has_failed(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "show", interrupted)
    ended = cli("status", legacy=NOWHERE, target=NOWHERE_ELSE)
    assert (ended.code, ended.err) == (1, "Interrupted.\n")
