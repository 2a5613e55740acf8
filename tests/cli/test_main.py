"""What holds for every command: how it starts, how it fails, and what it never shows."""

import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
import typer

from remoteiq_etl.cli import output
from remoteiq_etl.cli.main import app
from remoteiq_etl.cli.order import PANELS
from remoteiq_etl.cli.run import status
from tests.cli.conftest import Cli, Migrated
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


ASKS_THE_STATE = [
    "status",
    "quarantine list",
    "quarantine warnings",
    "held list",
    "archive",
    "pause",
    "resume",
    "views check",
]


@pytest.mark.parametrize("command", ASKS_THE_STATE)
def test_a_command_that_asks_the_state_a_few_questions_imports_nothing_that_takes_long(
    migrated: Migrated, tmp_path: Path, command: str
) -> None:
    """Dagster, pandas, pandera and Arrow take seconds together: they are for rows."""
    code = (
        "import sys; from remoteiq_etl.cli.main import main; main();"
        "print([name for name in ('dagster', 'pandas', 'pandera', 'pyarrow', 'numpy', 'jinja2') if name in sys.modules])"
    )
    urls = {"REMOTEIQ_LEGACY_URL": migrated.legacy.url, "REMOTEIQ_TARGET_URL": migrated.target.url}
    done = subprocess.run(
        [sys.executable, "-c", code, *command.split()],
        cwd=ROOT, env={**os.environ, **urls, "REMOTEIQ_HOME": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Unexpected" not in done.stderr


def test_the_version_is_printed(cli: Cli) -> None:
    ended = cli("--version", legacy=NOWHERE, target=NOWHERE_ELSE)
    assert (ended.code, ended.out) == (0, f"remoteiq-etl {version('remoteiq-etl')}\n")


def test_commands_are_completed() -> None:
    asked = {"_REMOTEIQ_ETL_COMPLETE": "complete_bash", "COMP_WORDS": "remoteiq-etl quar", "COMP_CWORD": "1"}
    code = "from remoteiq_etl.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **asked}, capture_output=True, text=True
    )
    assert done.stdout.split() == ["quarantine"]


def test_the_commands_are_in_the_order_of_a_migration_in_panels_each_with_an_example(cli: Cli) -> None:
    given = {"legacy": NOWHERE, "target": NOWHERE_ELSE, "COLUMNS": "200"}
    named = [name for panel in PANELS.values() for name in panel]
    assert sorted(named) == sorted(commands())
    page = cli("--help", **given).out
    places = [page.index(f"─ {panel} ─") for panel in PANELS]
    assert places == sorted(places)
    first = [re.search(rf"^│ {name.split()[0]} ", page, re.MULTILINE) for name in named]
    found = [one.start() for one in first if one]
    assert (len(found), found) == (len(first), sorted(found))
    for name in commands():
        assert f"Example: remoteiq-etl {name}" in cli(*name.split(), "--help", **given).out


@pytest.mark.parametrize("example", [one for panel in PANELS.values() for one in panel.values()])
def test_an_example_of_a_help_is_a_command_line_that_the_program_takes(example: str) -> None:
    command, context, arguments = typer.main.get_command(app), None, shlex.split(example)
    while hasattr(command, "commands"):
        name, *arguments = arguments
        command = command.commands[name]
    assert command.make_context("example", arguments, parent=context) is not None


def test_no_help_page_loses_a_bracketed_word_to_the_markup(cli: Cli) -> None:
    sources = {name: one.help or "" for name, one in described()}
    assert [name for name, text in sources.items() if re.search(r"\[[a-z]+\]", text)] == []


def described(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    command = command or typer.main.get_command(app)
    for name, one in getattr(command, "commands", {}).items():
        yield from described(one, (*path, name)) if hasattr(one, "commands") else [(" ".join((*path, name)), one)]


def test_quiet_leaves_results_and_errors_alone(cli: Cli, edge_db: Database, target_db: Database) -> None:
    """Of a plan of one table: no progress, and the same result."""
    loud, quiet = (
        cli(*options, "plan", "--table", "permissions", legacy=edge_db, target=target_db) for options in ([], ["-q"])
    )
    assert "permissions:" in loud.err
    assert [line for line in quiet.err.splitlines() if not line.startswith("Warning: ")] == []
    assert quiet.code == loud.code
    assert "permissions" in quiet.out
    assert "127.0.0.1" in cli("-q", "status", legacy=NOWHERE, target=NOWHERE_ELSE).err


def test_no_colour_is_printed_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert not output.results().no_color
    output.speak(colours=False)
    assert output.results().no_color
    output.speak()
    monkeypatch.setenv("NO_COLOR", "1")
    assert output.results().no_color


def test_verbose_shows_what_is_logged(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "show", lambda *_, **__: logging.getLogger("remoteiq_etl").info("3 tables"))
    given = {"legacy": NOWHERE, "target": NOWHERE_ELSE}
    assert "3 tables" not in cli("status", **given).err
    assert "INFO remoteiq_etl: 3 tables" in cli("-v", "status", **given).err


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


def test_an_interrupted_command_ends_as_shells_count_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "show", interrupted)
    ended = cli("status", legacy=NOWHERE, target=NOWHERE_ELSE)
    assert (ended.code, ended.err) == (130, "Interrupted.\n")


@pytest.mark.parametrize("command", ["plan", "run", "verify"])
def test_a_command_that_moves_or_proves_rows_says_from_where_to_where_and_what_blocks_it(
    cli: Cli, edge_db: Database, target_db: Database, command: str
) -> None:
    """In one line without a password; both sides at once, and before anything is recorded."""
    ended = cli(command, legacy=NOWHERE, target=NOWHERE_ELSE, COLUMNS="400")
    way, *lines = ended.err.splitlines()
    assert way.endswith(
        "/legacy (schema public) → postgresql://etl:***@127.0.0.1:1/target (schema public), source default"
    )
    assert "s3cret" not in ended.err
    assert lines[0] == "nothing was begun: remoteiq-etl doctor shows what blocks it."
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["legacy, connection", "target, connection"]
    role = target_db.select_only_role()
    refused = cli(command, legacy=edge_db, target=target_db.url_as(role), COLUMNS="400")
    assert refused.code == 1
    assert f"target, rights: {role} may not" in refused.err
    with target_db.connect() as connection:
        assert connection.execute("SELECT to_regnamespace('remoteiq_etl')").fetchone() == (None,)
