"""The documents: links lead somewhere, examples are real commands and settings, and nothing that a user types is missing.

Belongs here: what is true of Markdown as such and of the guide. The words are in test_glossary, the folders in
test_architecture, the queries of docs/state.md in the tests of the state schema.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.exceptions import TyperException

from remoteiq_etl.cli.main import app
from remoteiq_etl.config.settings import Settings
from tests.support import documents

ROOT = Path(__file__).parents[1]
PROGRAM: Any = typer.main.get_command(app)  # Typer brings a Click of its own, which has no types
README = ROOT / "README.md"
GUIDE = ROOT / "docs" / "guide"
VARIABLE = re.compile(r"\bREMOTEIQ_[A-Z_]+[A-Z]\b")
#: Commands that do one thing and have nothing to show to a program.
WITHOUT_JSON = {
    "demo", "generate", "pause", "resume", "stop", "quarantine retry", "quarantine ignore", "conflicts resolve",
    "seal new-key", "seal show", "gate accept", "gate approve", "gate revoke", "application plan",
}  # fmt: skip


def commands(command: Any = PROGRAM, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, one in command.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, (*path, name))
        else:
            yield " ".join((*path, name)), one


def examples() -> list[str]:
    """Each line of a shell block of the documents that calls the program."""
    lines = [
        line for path in documents.pages() for block in documents.blocks(path, "sh") for line in block.splitlines()
    ]
    return [line for line in lines if "remoteiq-etl " in line]


def settings_files() -> list[tuple[str, str]]:
    return [(path.name, block) for path in documents.pages() for block in documents.blocks(path, "toml")]


@pytest.mark.parametrize("page", documents.pages(), ids=documents.name)
def test_every_relative_link_and_anchor_leads_somewhere(page: Path) -> None:
    broken = []
    for link in documents.links(page):
        place, _, anchor = link.partition("#")
        found = (page.parent / place).resolve() if place else page
        if not found.exists() or (anchor and anchor not in documents.anchors(found)):
            broken.append(link)
    assert broken == []


def test_every_document_is_reached_from_the_readme() -> None:
    """By links, in as many steps as it takes."""
    reached = [README]
    for page in reached:
        places = ((page.parent / link.partition("#")[0]).resolve() for link in documents.links(page))
        reached += [place for place in places if place.suffix == ".md" and place not in reached and place.exists()]
    assert set(documents.pages()) - set(reached) == set()


def test_the_readme_is_short_begins_with_demo_and_test_and_has_one_picture() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 90
    assert re.findall(r"^make (\w+)", text, re.MULTILINE)[:2] == ["demo", "test"]
    assert len(re.findall(r"^!\[", text, re.MULTILINE)) == 1


def test_the_index_of_decisions_names_each_with_its_title() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \| (.+?) \|", index, re.MULTILINE)
    files = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    titles = [path.read_text(encoding="utf-8").splitlines()[0] for path in files]
    assert [(path.name, title) for path, title in zip(files, titles, strict=True)] == [
        (name, f"# {number} {title}") for number, name, title in rows
    ]
    assert all(name.startswith(f"{number}-") for number, name, _ in rows)


def test_every_option_of_every_command_is_in_the_guide() -> None:
    """Of options that are written down nowhere nobody knows."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in GUIDE.glob("*.md"))
    options = {
        option for _, command in commands() for one in command.params for option in one.opts if option[:2] == "--"
    }
    assert sorted(option for option in options if not re.search(rf"{option}\b", text)) == []


def test_the_guide_names_the_commands_that_have_no_json() -> None:
    assert {name for name, one in commands() if not any("--json" in found.opts for found in one.params)} == WITHOUT_JSON
    text = (GUIDE / "commands.md").read_text(encoding="utf-8")
    (sentence,) = re.findall(r"Those that do one thing \((.*?)\) do not", text, re.DOTALL)
    assert set(re.findall(r"`([^`]+)`", sentence)) == WITHOUT_JSON


@pytest.mark.parametrize("line", examples())
def test_an_example_is_a_command_line_that_the_program_takes(line: str) -> None:
    """The command is there, and so are its arguments and options, with values that they accept."""
    called = re.search(r"remoteiq-etl (.*?)(?:\)|$)", line.partition("  #")[0])
    assert called is not None
    command, words = PROGRAM, shlex.split(called[1])
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words)


@pytest.mark.parametrize("line", ["remoteiq-etl nope", "remoteiq-etl undo --nope", "remoteiq-etl undo --run seven"])
def test_a_wrong_example_is_noticed(line: str) -> None:
    with pytest.raises((KeyError, TyperException)):
        test_an_example_is_a_command_line_that_the_program_takes(line)


@pytest.mark.parametrize(("page", "text"), settings_files(), ids=lambda value: value[:30])
def test_an_example_of_the_configuration_file_is_accepted(page: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "remoteiq.toml").write_text(text, encoding="utf-8")
    settings = Settings.load({"REMOTEIQ_ALERTS_SMTP_PASSWORD": "invented"}, tmp_path)
    assert settings.config_file == tmp_path / "remoteiq.toml", page


def test_the_defaults_that_the_guide_shows_are_the_defaults(tmp_path: Path) -> None:
    """Limits, schedules and periods: a file that says what the guide says changes nothing."""
    for page in ("throttle.md", "dagster.md"):
        for block in documents.blocks(GUIDE / page, "toml"):
            (tmp_path / "remoteiq.toml").write_text(block, encoding="utf-8")
            shown, plain = Settings.load({}, tmp_path), Settings()
            assert (shown.throttle, shown.schedules) == (plain.throttle, plain.schedules), page
            assert shown.retention == plain.retention, page


def test_every_variable_that_the_program_reads_is_in_the_guide() -> None:
    program = [path.read_text(encoding="utf-8") for path in (ROOT / "remoteiq_etl").rglob("*.py")]
    page = (GUIDE / "configuration.md").read_text(encoding="utf-8")
    described = set(VARIABLE.findall(page)) | {"REMOTEIQ_ETL"}
    assert {name for text in program for name in VARIABLE.findall(text)} - described == set()
    fields = {f"REMOTEIQ_{name.upper()}" for name in ("legacy_url", "target_url", "batch_rows", "deletes", "home")}
    assert fields <= described


def test_the_guide_names_every_make_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    page = (GUIDE / "commands.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)) - {"help"}
    assert set(re.findall(r"^\| `make (\w+)`", page, re.MULTILINE)) == targets
