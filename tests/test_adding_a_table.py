"""docs/adding-a-table.md, followed literally: its files are written into a copy of the project, and what it says is so."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "adding-a-table.md"
TABLE = "backup_job_notes"
_FILE = re.compile(r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE)
_COPIED = (
    "remoteiq_etl",
    "assets",
    "schemas",
    "tests",
    "docs",
    "pyproject.toml",
    "workspace.yaml",
    "README.md",
    "Makefile",
)
_ABOUT_COLUMNS = """
from remoteiq_etl.cli import main
main(["lineage", "--check"])
main(["lineage", "--markdown"])
"""
_ABOUT_DAGSTER = f"""
import json
from remoteiq_etl.definitions import defs
found = defs()
spec = found.resolve_assets_def("{TABLE}").get_asset_spec()
jobs = [job.name for job in found.resolve_all_job_defs() if spec.key in job.asset_layer.executable_asset_keys]
print(json.dumps([spec.group_name, [dep.asset_key.path[-1] for dep in spec.deps], jobs]))
"""


def files() -> dict[str, str]:
    """Path → text of each file that the page has."""
    return dict(_FILE.findall(PAGE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the files of the page, and nothing else changed."""
    copy = tmp_path_factory.mktemp("project")
    for name in _COPIED:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(place, copy / name)
    for name, text in files().items():
        assert not (copy / name).exists(), f"{name} is there already: the page edits nothing"
        (copy / name).write_text(text, encoding="utf-8")
    return copy


def run(project: Path, *arguments: str) -> str:
    """What a Python of ours prints that finds the packages of the copy before those of the project."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("REMOTEIQ_", "PYTEST_"))}
    environ |= {"PYTHONPATH": str(project), "DAGSTER_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=project, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_has_a_table_on_each_side_an_asset_a_test_and_a_second_mapping() -> None:
    """And no further file: one more table needs no edit elsewhere."""
    folders = [name.partition("/")[0] for name in files()]
    assert folders == ["schemas", "schemas", "assets", "tests", "remoteiq_etl"]
    assert Path(list(files())[-1]).suffix == ".sql"


def test_its_test_passes(project: Path) -> None:
    """The made-up rows are migrated on real databases, and a verification finds no difference."""
    (test,) = [name for name in files() if name.startswith("tests/")]
    assert re.search(r"\b[1-9]\d* passed", run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", test))


def test_every_column_of_it_is_accounted_for(project: Path) -> None:
    said = run(project, "-c", _ABOUT_COLUMNS)
    assert re.match(r"(\d+) of \1 legacy columns accounted for\.\n", said)
    assert "the redesign does not say who wrote a note" in said


def test_dagster_has_it_without_being_told(project: Path) -> None:
    """In the group of its domain, after its parent, in the jobs of all tables and in that of its domain."""
    group, parents, jobs = json.loads(run(project, "-c", _ABOUT_DAGSTER).splitlines()[-1])
    assert group == "backups"
    assert {"backup_jobs"} <= set(parents)
    assert {"resync", "backfill", "sweep", "backfill_backups"} <= set(jobs)


def test_its_code_is_as_ours(project: Path) -> None:
    """Formatted, without a remark of the linter, and typed."""
    named = [name for name in files() if name.endswith(".py")]
    run(project, "-m", "ruff", "format", "--check", "--no-cache", *named)
    run(project, "-m", "ruff", "check", "--no-cache", *named)
    typed = [name for name in named if not name.startswith("tests/")]
    run(project, "-m", "mypy", "--no-incremental", "--follow-imports=silent", *typed)
